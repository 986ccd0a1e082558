"""Names of classes as the data sets publish them, in the order of their ids."""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


SAMPLE = _split("background, sky, ground, table, shape, people, plant, object")
"""Of the generated scenes."""

CAMVID = _split(
    "sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist"
)

CITYSCAPES = _split(
    """road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation,
    terrain, sky, person, rider, car, truck, bus, train, motorcycle, bicycle"""
)

VOC = _split(
    """background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable,
    dog, horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor"""
)

CONTEXT = _split(
    """aeroplane, bag, bed, bedclothes, bench, bicycle, bird, boat, book, bottle, building, bus,
    cabinet, car, cat, ceiling, chair, cloth, computer, cow, cup, curtain, dog, door, fence, floor,
    flower, food, grass, ground, horse, keyboard, light, motorbike, mountain, mouse, person, plate,
    platform, pottedplant, road, rock, sheep, shelves, sidewalk, sign, sky, snow, sofa, table,
    track, train, tree, truck, tvmonitor, wall, water, window, wood"""
)

ADE20K = _split(
    """wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk,
    person, earth, door, table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf,
    house, sea, mirror, rug, field, armchair, seat, fence, desk, rock, wardrobe, lamp, bathtub,
    railing, cushion, base, box, column, signboard, chest of drawers, counter, sand, sink,
    skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table,
    pillow, screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower,
    book, hill, bench, countertop, stove, palm, kitchen island, computer, swivel chair, boat, bar,
    arcade machine, hovel, bus, towel, light, truck, tower, chandelier, awning, streetlight, booth,
    television receiver, airplane, dirt track, apparel, pole, land, bannister, escalator, ottoman,
    bottle, buffet, poster, stage, van, ship, fountain, conveyer belt, canopy, washer, plaything,
    swimming pool, stool, barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball, food,
    step, tank, trade name, microwave, pot, animal, bicycle, lake, dishwasher, screen, blanket,
    sculpture, hood, sconce, vase, traffic light, tray, ashcan, fan, pier, crt screen, plate,
    monitor, bulletin board, shower, radiator, glass, clock, flag"""
)

SAMPLE_THINGS = _split("car, cup, face, fish, flower, house, person, tree")
"""Of the generated pictures of one thing."""

COUNTS = {
    "sample": len(SAMPLE),
    "camvid": len(CAMVID),
    "cityscapes": len(CITYSCAPES),
    "voc": len(VOC),
    "pascal_context": len(CONTEXT) + 1,
    "pascal_context59": len(CONTEXT),
    "ade20k": len(ADE20K),
}
"""How many classes each list of `pipeline.data.classes` has."""

IMAGE_COUNTS = {"sample_things": len(SAMPLE_THINGS), "imagenet": 1000}
"""How many classes whole images have, by data set; their names lie beside the images."""
