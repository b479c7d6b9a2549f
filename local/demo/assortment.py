"""What the invented shops sell: kinds of products by category, with makers, varieties and sizes."""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of product: who makes it, its varieties, and its sizes with usual prices in rupees."""

    category: str
    noun: str
    brands: str
    varieties: str
    sizes: str


# Makers are invented; a size reads "amount unit=rupees".
KINDS: Final = (
    Kind(
        "biscuits",
        "Biscuits",
        "Sunreef Kandula Malwatte Teaveli",
        "Marie|Cream Cracker|Ginger|Chocolate Cream|Lemon Puff|Nice|Milk Short Cake|Onion",
        "80 g=110|200 g=260|400 g=480",
    ),
    Kind(
        "chips-and-savouries",
        "Chips",
        "Krispo Kandula Pettah",
        "Cassava Hot & Spicy|Potato Salted|Potato Barbecue|Jackfruit|Sour Cream & Onion|Tomato",
        "40 g=170|100 g=390|150 g=560",
    ),
    Kind(
        "chocolate",
        "Chocolate",
        "Kakaduwa Ruwan Velvetine",
        "Milk|Dark|Fruit & Nut|Cashew|White|Wafer",
        "20 g=90|50 g=240|100 g=460|200 g=890",
    ),
    Kind(
        "tea",
        "Tea",
        "Hanthana Uva-Crest Leafhill Misty-Ridge",
        "Black|Green|Ginger|Cardamom|Earl Grey",
        "100 g=330|200 g=640|400 g=1240|25 pcs=380|50 pcs=720",
    ),
    Kind(
        "soft-drinks",
        "Drink",
        "Fizzora Kooler Lankola",
        "Cola|Ginger Beer|Orange|Cream Soda|Lemonade|Berry",
        "250 ml=120|400 ml=180|1 l=340|1.5 l=450",
    ),
    Kind(
        "juices-and-cordials",
        "Nectar",
        "Fruitaya Kooler Goldorchard",
        "Mango|Mixed Fruit|Woodapple|Passion Fruit|Pineapple|Guava",
        "200 ml=150|500 ml=390|1 l=720",
    ),
    Kind(
        "milk",
        "Milk",
        "Ambewatta Highmeadow Kiriland",
        "Fresh|Non Fat|Vanilla|Chocolate|Full Cream Powdered",
        "180 ml=130|450 ml=290|1 l=560",
    ),
    Kind(
        "yoghurt-and-curd",
        "Yoghurt",
        "Ambewatta Highmeadow Kiriland",
        "Set|Strawberry Drinking|Vanilla|Mango|Buffalo Curd",
        "80 g=75|200 g=210|500 g=480|1 l=890",
    ),
    Kind(
        "rice",
        "Rice",
        "Wewa-Gold Nelum Randeniya",
        "Samba|Red Raw|White Nadu|Keeri Samba|Basmati|Red Nadu",
        "1 kg=260|5 kg=1260|10 kg=2480",
    ),
    Kind(
        "flour",
        "Flour",
        "Wewa-Gold Pitiwala Nelum",
        "Wheat|Kurakkan|Red Rice|Atta|String Hopper",
        "400 g=190|1 kg=380",
    ),
    Kind(
        "lentils-and-pulses",
        "Pulses",
        "Nelum Randeniya Pettah",
        "Red Dhal|Chick Peas|Green Gram|Cowpea|Black Gram",
        "250 g=160|500 g=300|1 kg=570",
    ),
    Kind(
        "noodles-and-pasta",
        "Noodles",
        "Tikka-Bowl Pitiwala Hela-Mie",
        "Chicken|Curry|Vegetable|Kottu Spicy|Plain|Seafood",
        "75 g=120|325 g=430|400 g=520",
    ),
    Kind(
        "spices-and-seasonings",
        "Powder",
        "Kulubadu Pettah Aralu",
        "Chilli|Turmeric|Roasted Curry|Black Pepper|Coriander|Cinnamon|Unroasted Curry",
        "50 g=150|100 g=280|250 g=640|500 g=1190",
    ),
    Kind(
        "cooking-oil",
        "Oil",
        "Polwatte Sunreef Aralu",
        "White Coconut|Virgin Coconut|Sunflower|Sesame|Vegetable",
        "350 ml=490|500 ml=690|1 l=1290|2 l=2490",
    ),
    Kind(
        "sauces-and-pickles",
        "Sauce",
        "Kulubadu Fruitaya Goldorchard",
        "Tomato|Chilli Garlic|Soya|Oyster|Mango Chutney|Hot Pepper",
        "200 g=270|400 g=510|750 ml=890",
    ),
    Kind(
        "sausages-and-cold-cuts",
        "Sausages",
        "Meadowbrook Goviya-Fresh",
        "Chicken|Pork|Chicken Cheese & Onion|Beef|Spicy Chicken",
        "150 g=310|500 g=940",
    ),
    Kind(
        "ice-cream",
        "Ice Cream",
        "Himakiri Velvetine Kiriland",
        "Vanilla|Chocolate|Fruit & Nut|Strawberry|Butterscotch|Coconut Honey",
        "80 ml=110|500 ml=480|1 l=860|2 l=1590",
    ),
    Kind(
        "laundry",
        "Detergent",
        "Sudalu Brightwave Rinsora",
        "Floral Powder|Lemon Powder|Front Load Liquid|Top Load Liquid|Baby Soft Liquid",
        "400 g=260|1 kg=620|1 l=980",
    ),
    Kind(
        "cleaning",
        "Cleaner",
        "Brightwave Rinsora Shine-Eka",
        "Floor Pine|Glass|Toilet Bowl|Kitchen Degreaser|Floor Lavender",
        "500 ml=430|750 ml=610|1 l=790",
    ),
    Kind(
        "paper-goods",
        "Tissue",
        "Pansala-Soft Cloudply",
        "Kitchen Towels|Toilet Rolls|Facial|Serviettes",
        "2 pcs=390|4 pcs=740|10 pcs=1690|100 pcs=340",
    ),
    Kind(
        "soap-and-body-wash",
        "Soap",
        "Sandaluwa Rosewell Brightwave",
        "Sandalwood|Aloe Vera|Rose|Lime|Baby|Charcoal",
        "70 g=110|100 g=160|250 ml=690",
    ),
    Kind(
        "hair-care",
        "Shampoo",
        "Rosewell Kesha Sandaluwa",
        "Anti Dandruff|Aloe Smooth|Black Shine|Coconut Repair|Daily Fresh",
        "80 ml=290|180 ml=560|400 ml=1090",
    ),
    Kind(
        "oral-care",
        "Toothpaste",
        "Sudath Clove-Mint",
        "Herbal|Clove Oil|Whitening|Kids Strawberry|Salt & Charcoal",
        "40 g=110|120 g=290|200 g=460",
    ),
)
