#!/usr/bin/env python3
"""Draws the test pictures and writes what the ONNX network makes of them, as
the truth for the Go one. Needs numpy, pillow, onnxruntime.

usage: pictures.py effnet_lite0.onnx ../testdata

Writes picture-N.png (224 × 224, so that nothing is resized) and pictures.vec:
1,280 float16 for each picture, the output "embedding".
"""
import math
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw

SIZE = 224


def canvas(colour):
    im = Image.new("RGB", (SIZE, SIZE), colour)
    return im, ImageDraw.Draw(im)


def sunset():
    im, d = canvas("black")
    for y in range(SIZE):
        d.line([(0, y), (SIZE, y)], fill=(250 - y // 2, 120 - y // 3, 60 + y // 2))
    d.ellipse([80, 70, 144, 134], fill=(255, 230, 120))
    d.rectangle([0, 150, SIZE, SIZE], fill=(20, 40, 90))
    return im


def house():
    im, d = canvas((150, 205, 250))
    d.rectangle([0, 160, SIZE, SIZE], fill=(70, 150, 60))
    d.rectangle([60, 90, 164, 180], fill=(200, 170, 130))
    d.polygon([(50, 90), (112, 40), (174, 90)], fill=(160, 50, 40))
    d.rectangle([100, 130, 124, 180], fill=(90, 60, 30))
    return im


def face():
    im, d = canvas((240, 240, 245))
    d.ellipse([42, 32, 182, 192], fill=(235, 190, 160), outline=(60, 40, 30), width=4)
    for x in (85, 139):
        d.ellipse([x - 10, 90, x + 10, 110], fill=(30, 30, 40))
    d.arc([80, 110, 144, 165], 20, 160, fill=(150, 40, 50), width=6)
    return im


def stripes():
    im, d = canvas("white")
    for x in range(-SIZE, SIZE, 28):
        d.polygon([(x, 0), (x + 14, 0), (x + 14 + SIZE, SIZE), (x + SIZE, SIZE)], fill=(25, 25, 25))
    return im


def plate():
    im, d = canvas((120, 80, 50))
    d.ellipse([22, 22, 202, 202], fill=(245, 245, 240))
    for i in range(9):
        a = i * 2 * math.pi / 9
        x, y = 112 + 50 * math.cos(a), 112 + 50 * math.sin(a)
        d.ellipse([x - 18, y - 18, x + 18, y + 18], fill=(200 - 8 * i, 40 + 18 * i, 30))
    return im


def night():
    im, d = canvas((8, 10, 30))
    for i in range(60):
        x, y = i * 97 % SIZE, i * i * 31 % 130
        d.point([(x, y), (x + 1, y)], fill=(255, 255, 230))
    for i in range(8):
        h = 40 + i * 53 % 70
        d.rectangle([i * 28, SIZE - h, i * 28 + 24, SIZE], fill=(40, 40, 60))
        for y in range(SIZE - h + 8, SIZE - 8, 14):
            d.rectangle([i * 28 + 6, y, i * 28 + 12, y + 6], fill=(250, 210, 90))
    return im


def waves():
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    rgb = [127.5 + 127.5 * np.sin(x / a + y / b) for a, b in ((9, 31), (17, -13), (40, 6))]
    return Image.fromarray(np.stack(rgb, -1).astype(np.uint8))


def grey():
    return canvas((128, 128, 128))[0]


def main():
    net = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    out = b""
    for i, draw in enumerate((sunset, house, face, stripes, plate, night, waves, grey)):
        im = draw()
        im.save(f"{sys.argv[2]}/picture-{i}.png", optimize=True)
        x = ((np.asarray(im, np.float32) - 127) / 128).transpose(2, 0, 1)[None]
        out += net.run(["embedding"], {"input": x})[0].astype("<f2").tobytes()
    with open(f"{sys.argv[2]}/pictures.vec", "wb") as f:
        f.write(out)


main()
