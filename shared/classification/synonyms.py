"""What stands in the departments of shops, by a word or words of a department's name.

Written by hand from how supermarkets part their goods, by someone who had seen the names of the
categories of the catalogues that it is measured on, and some products that an earlier form got
wrong. The kinds that say most stand first, since a category takes at most ten from all its words
together.
"""

from itertools import zip_longest
from typing import Final

from shared.classification.wording import words

MOST: Final = 10
_LIST: Final = """
fruit: apples, bananas, oranges and lemons, mango, grapes, pineapple, papaya, melon, avocado,
  berries
vegetable: carrots, tomatoes, cabbage, beans, onions, potatoes, cucumber and pumpkin, leafy
  greens, mushrooms, peppers and chillies
green: lettuce, spinach, kale, celery, parsley, coriander leaves, mint leaves, leafy greens,
  cress, herbs
salad: lettuce, cucumber, tomatoes, rocket, coleslaw, radish, salad bowl, spring onions, beetroot,
  celery
herb: basil, parsley, coriander, mint, thyme, rosemary, oregano, dill, chives, bay leaves
onion: red onions, big onions, shallots, garlic, leeks, spring onions
potato: potatoes, sweet potatoes, yams, cassava, baby potatoes, baking potatoes
flower: bouquet, roses, lilies, orchid, tulips, potted plant
dairy: milk, yoghurt, butter, cheese, cream, milk powder, flavoured milk, margarine, curd, ghee
milk: fresh milk, milk powder, skimmed milk, condensed milk, flavoured milk, long life milk, soya
  milk, oat drink
yoghurt: yoghurt, greek yoghurt, drinking yoghurt, curd, set yoghurt, fromage frais
butter: salted butter, unsalted butter, margarine, spread, ghee
cheese: cheddar, mozzarella, parmesan, cheese slices, cheese wedges, cream cheese, feta, brie
egg: eggs, brown eggs, white eggs, free range eggs, quail eggs, dozen eggs
chilled: yoghurt, cheese, butter, milk, cooked ham and sausages, fresh juice, ready meals, cream
  desserts, fresh pasta, dips
meat: chicken, beef, pork, mutton and lamb, sausages, bacon, ham, mince, turkey, meat balls
poultry: whole chicken, chicken breast, chicken drumsticks, chicken wings, turkey, duck
chicken: whole chicken, chicken breast, chicken drumsticks, chicken wings, chicken thighs, chicken
  giblets
beef: beef steak, minced beef, beef sirloin, veal, roast beef, beef cubes
pork: pork chops, bacon, ham, pork belly, pork loin, pork sausages
mutton: lamb leg, lamb chops, goat meat, minced lamb
lamb: lamb leg, lamb chops, minced lamb, goat meat
sausage: chicken sausages, pork sausages, frankfurters, hot dogs, chorizo, bockwurst
ham: cooked ham, salami, bacon, pastrami, cold cuts, meat slices
deli: ham, salami, olives, cheese, pate, cooked meat, dips, pastries
fish: tuna, salmon, prawns, mackerel, fish fillets, sardines, squid and cuttlefish, crab, cod,
  fish steaks
seafood: fresh fish, prawns, tuna, crab, squid and cuttlefish, fish fillets, fish steaks and
  slices, mussels, salmon, lobster
bakery: bread, buns and rolls, cake, croissants, muffins, doughnuts, pastries, brownies, swiss
  roll, pita and wraps
bread: white bread, brown bread, sandwich loaf, baguette, pita, wraps, roti, garlic bread
bun: burger buns, bread rolls, hot dog rolls, tea buns
cake: cake, muffins, cupcakes, brownies, swiss roll, doughnuts, sponge cake
pastry: croissants, puff pastry, danish pastries, sausage rolls, pies

food cupboard: noodles and pasta, sauces and ketchup, jam and spreads, canned fish and vegetables,
  soup, breakfast cereals, pickles and chutney, biscuits, lentils and pulses, flour and oil
pantry: noodles and pasta, sauces and ketchup, jam and spreads, canned food, soup, breakfast
  cereals, pickles and chutney, lentils and pulses, rice and flour, cooking oil
grocery: rice, flour, sugar, lentils and pulses, noodles and pasta, canned food, sauces and
  ketchup, spices, cooking oil, tea
staple: rice, flour, sugar, lentils, salt, cooking oil, wheat, beans
cooking: cooking oil, coconut milk, flour, salt, vinegar, sugar, seasoning cubes, soy sauce,
  coconut oil, olive oil
rice: basmati rice, white rice, red rice, samba rice, brown rice, nadu rice
grain: rice, wheat, oats, barley, quinoa, couscous, semolina, millet
flour: wheat flour, rice flour, atta flour, corn flour, semolina, self raising flour
lentil: red lentils, dhal, chickpeas, green gram, split peas
pulse: lentils, chickpeas, green gram, cowpeas, kidney beans, soya beans
noodle: instant noodles, egg noodles, rice noodles, ramen, vermicelli
pasta: spaghetti, macaroni, penne, lasagne, fusilli, noodles
cereal: corn flakes, muesli, oats, granola, porridge, wheat biscuits, chocolate cereal
breakfast: corn flakes, oats, muesli, porridge, jam, honey, peanut butter, pancakes
oil: sunflower oil, coconut oil, olive oil, vegetable oil, sesame oil, canola oil
coconut: coconut milk, coconut oil, desiccated coconut, coconut cream, king coconut
spice: chilli powder, turmeric, pepper, cinnamon, curry powder, cardamom and cloves, mustard,
  masala, cumin, fenugreek
seed: sesame seeds, mustard seeds, coriander seeds, cumin seeds, sunflower seeds, chia seeds,
  fennel seeds, lentils
seasoning: seasoning powder, stock cubes, marinade, salt, pepper, mixed herbs, garlic powder
condiment: ketchup, mayonnaise, mustard, vinegar, soy sauce, chutney, pickles, salad dressing
sauce: tomato ketchup, mayonnaise, soy sauce, chilli sauce, pasta sauce, salad dressing, vinegar,
  curry paste
sugar: white sugar, brown sugar, jaggery, treacle, sweetener, honey
salt: table salt, sea salt, rock salt, iodised salt
pickle: pickles, chutney, gherkins, olives, sambol, lime pickle
jam: strawberry jam, marmalade, honey, peanut butter, chocolate spread
spread: jam, peanut butter, chocolate spread, honey, marmalade, margarine
soup: vegetable soup, chicken soup, soup mix, broth, stock cubes
canned: canned fish, tinned tomatoes, baked beans, sweet corn, canned fruit, luncheon meat
tinned: canned fish, tinned tomatoes, baked beans, sweet corn, canned fruit, luncheon meat
world food: curry paste, noodles, soy sauce, coconut milk, tortillas, poppadoms, basmati rice,
  kosher food, halal food, mexican sauce
dietary: gluten free, dairy free, vegan, sugar free, protein bar, lactose free, plant based,
  slimming meal, organic, wheat free
organic: organic fruit, organic oats, organic tea, organic milk
vegan: tofu, plant based burger, soya milk, vegan cheese, oat drink, vegan sausages
vegetarian: tofu, vegetable burger, soya meat, vegetarian sausages, falafel
ingredient: baking powder, icing sugar, cocoa powder, vanilla essence, food colouring, yeast,
  gelatine, corn flour, baking chocolate, desiccated coconut
baking: baking powder, icing sugar, cocoa powder, vanilla essence, food colouring, yeast, flour,
  cake mix, chocolate chips, cake decorations
dessert: jelly, custard powder, pudding, dessert mix, syrup and treacle, mousse, caramel, ice
  cream topping, trifle, canned fruit

snack: biscuits, crackers, potato chips, chocolate, nuts, wafers, popcorn, savoury mixture,
  cookies, cereal bars
confectionery: chocolate, toffees, sweets and candy, chewing gum, lollipops, marshmallows,
  chocolate bars, mints, jelly sweets
biscuit: biscuits, cookies, wafers, shortbread, cream crackers, cream biscuits, digestive biscuits
cracker: cream crackers, cheese crackers, rice cakes, crispbread
chip: potato crisps, tortilla chips, cassava chips, popcorn
crisp: potato crisps, tortilla chips, prawn crackers, popcorn
chocolate: milk chocolate bar, dark chocolate, white chocolate, chocolate box, truffles
sweet: toffees, candy, lollipops, chewing gum, mints, marshmallows, jelly sweets
candy: toffees, lollipops, chewing gum, mints, marshmallows, jelly sweets
nut: cashew nuts, almonds, peanuts, raisins, dates, pistachios, walnuts, dried apricots
savoury: savoury mixture, murukku, spicy snacks, peanuts, crackers
rusk: rusks, toast, crispbread
jelly: jelly, gelatine, custard, pudding

beverage: fruit juice, soft drinks, cola, mineral water, cordial and squash, energy drink, malted
  milk drink, fruit nectar, ginger beer, iced drinks
drink: fruit juice, cola and lemonade, mineral water, beer, wine, coffee, tea, squash, energy
  drink, whisky gin and vodka
soft drink: cola, lemonade, ginger beer, orange soda, tonic water, energy drink, cream soda
juice: orange juice, apple juice, mango nectar, mixed fruit juice, squash
cordial: fruit cordial, squash, syrup, nelli cordial
water: mineral water, sparkling water, bottled water, spring water
tea: tea bags, ceylon tea, green tea, herbal tea, leaf tea, iced tea, chai, earl grey, black tea,
  flavoured tea
coffee: instant coffee, ground coffee, coffee beans, cappuccino, coffee capsules, filter coffee
malted: malted milk drink, chocolate malt drink, malt powder
alcohol: beer, wine, whisky, gin, vodka, rum, cider, arrack
beer: lager, ale, stout, cider, pilsner
wine: red wine, white wine, rose wine, sparkling wine, champagne
spirit: whisky, gin, vodka, rum, brandy, liqueur, arrack

frozen: ice cream, frozen pizza, frozen chips, chicken nuggets, frozen vegetables, fish fingers,
  frozen pastries, frozen sausages and meat balls, frozen roti, frozen burgers
ice cream: ice cream tub, ice cream cone, sorbet, ice lolly, vanilla ice cream
ready meal: pizza, lasagne, curry and rice, soup, pies, noodles
pizza: frozen pizza, pizza base, garlic bread

household: laundry detergent, dishwashing liquid, toilet cleaner, floor cleaner, tissues and paper
  towels, insect repellent, batteries and bulbs, incense and air freshener, brooms and brushes,
  kitchenware
home: kitchenware, storage boxes, candles, bedding and towels, light bulbs, cookware, cleaning
  brushes, garden tools
laundry: washing powder, laundry detergent, fabric softener, bleach, stain remover, washing soap
dishwashing: dishwashing liquid, dishwasher tablets, dishwash bar, scourer, sponge
cleaning: floor cleaner, toilet cleaner, disinfectant, glass cleaner, detergent, bleach, mop,
  brush, sponge, polish
paper: toilet tissue, paper towels, serviettes, facial tissues, aluminium foil
pest: mosquito coils, insect spray, cockroach killer, mosquito repellent, rat poison
kitchen: pots and pans, knives, plates, glasses, food storage boxes, foil and cling film, lunch
  box, water bottle
electronic: headphones, charger, batteries, kettle, fan, iron, television, phone, blender, rice
  cooker
appliance: kettle, blender, iron, fan, rice cooker, toaster, refrigerator, vacuum cleaner
stationery: pens, pencils, exercise books, notebooks, glue, erasers, markers, files and folders,
  paper, crayons
book: story books, magazine, novel, colouring book, newspaper
toy: doll, toy car, puzzle, board game, ball, building blocks
party: balloons, birthday candles, party hats, paper plates and cups, decorations, streamers, gift
  wrapping, banners, confetti, masks
occasion: birthday cake, party food, platter, sandwiches, canapes, celebration cake, gift box,
  balloons, christmas food, buffet
gift: gift box, gift card, hamper, gift wrapping, greeting card
auto: car shampoo, car wax, engine oil, car air freshener, tyre shine, brake fluid, coolant,
  windscreen cleaner, battery water, dashboard polish
car: car shampoo, car wax, engine oil, car air freshener, tyre shine, windscreen cleaner
garden: plants, seeds, fertiliser, flower pots, garden tools, compost
clothing: t-shirts, socks, underwear, shoes, trousers, dresses

health: vitamins, pain relief, medicine, plasters and bandages, sanitary napkins, toothpaste,
  balm, antiseptic, condoms, food supplements
beauty: shampoo and conditioner, soap and body wash, face cream and lotion, cosmetics, perfume and
  deodorant, hair colour, lipstick, face wash, talcum powder, razors
pharmacy: medicine, vitamins, pain relief, plasters, balm, thermometer, antiseptic
medicine: pain relief, cough syrup, balm, antacid, antiseptic, plasters
personal care: shampoo, soap, toothpaste, deodorant, lotion, sanitary napkins, razors, face wash,
  hair oil, perfume
toiletry: shampoo, soap, toothpaste, deodorant, shower gel, razors, sanitary napkins, cotton buds
cosmetic: lipstick, nail polish, mascara, foundation, face powder, make up remover
soap: bath soap, hand wash, body wash, shower gel
hair: shampoo, conditioner, hair gel, hair colour, hair oil, hair brush
oral: toothpaste, toothbrush, mouthwash, dental floss
dental: toothpaste, toothbrush, mouthwash, dental floss
skin: face cream, body lotion, moisturiser, sunscreen, face wash, talcum powder
baby: nappies, baby wipes, baby cereal, infant formula milk, baby soap, baby shampoo, baby lotion,
  feeding bottle, baby powder, baby cologne
nappy: nappies, baby diapers, diaper pants, baby wipes
pet: dog food, cat food, puppy food, dog shampoo, bird seed, pet treats, cat litter, dog biscuits,
  fish food, dog collar
"""


def synonyms_of(name: str) -> list[str]:
    """At most ten kinds of goods for a category's name, in turn from each of its words."""
    own = set(words(name))
    found = [key for key in SYNONYMS if _WORDS[key] <= own]
    # «ice cream» says more than «cream», and stands for it.
    closest = [key for key in found if not any(_WORDS[key] < _WORDS[each] for each in found)]
    in_turn = zip_longest(*(SYNONYMS[key] for key in closest))
    return list(dict.fromkeys(each for row in in_turn for each in row if each))[:MOST]


def _read(text: str) -> dict[str, list[str]]:
    lines = text.replace("\n  ", " ").splitlines()
    pairs = (line.split(": ") for line in lines if line)
    return {key: kinds.split(", ") for key, kinds in pairs}


SYNONYMS: Final = _read(_LIST)
_WORDS: Final = {key: frozenset(words(key)) for key in SYNONYMS}
