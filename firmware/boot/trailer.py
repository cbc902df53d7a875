# SPDX-License-Identifier: GPL-3.0-or-later
# Ends an image for the ESP8266 with what its boot loader looks for (port/esp8266/program.h), and writes what goes over the air: the same without
# the first sector, which is the boot loader's.
#   python3 boot/trailer.py firmware.bin firmware-slot.bin
import struct
import sys
import zlib

SECTOR_BYTES = 0x1000
SLOT_BYTES = 0xFD000
TRAILER = struct.Struct("<8sII")
MARK = b"shallot1"


def end_image(path, slot_path):
    with open(path, "rb") as whole:
        loader, image = whole.read(SECTOR_BYTES), whole.read()
    if loader[:1] != b"\xe9" or image[:1] != b"\xe9" or len(image) % 16 != 0:
        raise ValueError("%s is not a boot loader and an image as elf2bin.py makes them" % path)
    if len(image) + TRAILER.size > SLOT_BYTES:
        raise ValueError("%s: %d bytes are more than a slot's %d" % (path, len(image), SLOT_BYTES - TRAILER.size))
    image += TRAILER.pack(MARK, len(image), zlib.crc32(image))
    for name, contents in ((path, loader + image), (slot_path, image)):
        with open(name, "wb") as out:
            out.write(contents)


if __name__ == "__main__":
    end_image(*sys.argv[1:])
