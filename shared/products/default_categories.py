"""The category tree that an empty database starts with."""

from typing import Final, NamedTuple

from shared.products.slug import slug


class CategorySeed(NamedTuple):
    """One category; a group has no parent."""

    id: str
    name: str
    parent_id: str | None


_TREE: Final = {
    "Fruit and Vegetables": [
        "Fresh Fruit",
        "Fresh Vegetables",
        "Leafy Greens",
        "Onions and Potatoes",
        "Dried Fruit and Nuts",
    ],
    "Dairy and Eggs": [
        "Milk",
        "Yoghurt and Curd",
        "Butter and Margarine",
        "Cheese",
        "Eggs",
    ],
    "Meat and Fish": [
        "Chicken",
        "Beef and Mutton",
        "Sausages and Cold Cuts",
        "Fresh Fish",
        "Dried and Tinned Fish",
    ],
    "Rice and Grains": [
        "Rice",
        "Flour",
        "Lentils and Pulses",
        "Noodles and Pasta",
        "Breakfast Cereals",
    ],
    "Cooking Essentials": [
        "Cooking Oil",
        "Coconut Products",
        "Spices and Seasonings",
        "Sugar and Salt",
        "Sauces and Pickles",
        "Soups and Stocks",
    ],
    "Bakery": [
        "Bread and Buns",
        "Cakes",
        "Rusks and Crackers",
    ],
    "Snacks and Sweets": [
        "Biscuits",
        "Chips and Savouries",
        "Chocolate",
        "Sweets and Jellies",
    ],
    "Drinks": [
        "Tea",
        "Coffee",
        "Soft Drinks",
        "Juices and Cordials",
        "Water",
        "Malted Drinks",
    ],
    "Frozen": [
        "Ice Cream",
        "Frozen Meals",
        "Frozen Vegetables",
    ],
    "Household": [
        "Laundry",
        "Dishwashing",
        "Cleaning",
        "Paper Goods",
        "Pest Control",
    ],
    "Personal Care": [
        "Soap and Body Wash",
        "Hair Care",
        "Oral Care",
        "Skin Care",
    ],
    "Baby and Pet": [
        "Baby Food",
        "Nappies",
        "Pet Food",
    ],
}


def _seeds() -> tuple[CategorySeed, ...]:
    seeds: list[CategorySeed] = []
    for group, leaves in _TREE.items():
        seeds.append(CategorySeed(slug(group), group, None))
        seeds.extend(CategorySeed(slug(leaf), leaf, slug(group)) for leaf in leaves)
    return tuple(seeds)


DEFAULT_CATEGORIES: Final = _seeds()
