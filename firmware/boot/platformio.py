# SPDX-License-Identifier: GPL-3.0-or-later
# Builds, within PlatformIO, the boot loader of an ESP8266 with two slots, puts it in place of Arduino's with Arduino's own elf2bin.py, ends the image
# for it (trailer.py) and, when the board is flashed by its serial line, erases what was remembered of older images. Nobody has run this where
# these lines were written.
import sys
from os.path import join

from SCons.Script import COMMAND_LINE_TARGETS

Import("env")  # noqa: F821, PlatformIO's own way

project = env.subst("$PROJECT_DIR")  # noqa: F821
sys.path.insert(0, join(project, "boot"))
from trailer import end_image  # noqa: E402

STATE_AT, STATE_BYTES = "0x1fe000", 0x2000
image = join("$BUILD_DIR", "${PROGNAME}.bin")
loader = join("$BUILD_DIR", "boot.elf")
framework = env.PioPlatform().get_package_dir("framework-arduinoespressif8266")  # noqa: F821

# As in the builder of the framework, but for the boot loader.
ELF_TO_BIN = " ".join([
    '"$PYTHONEXE"', '"%s"' % join(framework, "tools", "elf2bin.py"),
    "--eboot", '"%s"' % loader, "--app", '"%s"' % join("$BUILD_DIR", "${PROGNAME}.elf"),
    "--flash_mode", "$BOARD_FLASH_MODE", "--flash_freq", "${__get_board_f_flash(__env__)}", "--flash_size", "${__get_flash_size(__env__)}",
    "--path", '"%s"' % join(env.PioPlatform().get_package_dir("toolchain-xtensa"), "bin"), "--out", '"%s"' % image,  # noqa: F821
])


def finish(target, source, env):
    end_image(env.subst(image), env.subst(join("$BUILD_DIR", "${PROGNAME}-slot.bin")))
    with open(env.subst(join("$BUILD_DIR", "state.bin")), "wb") as state:
        state.write(b"\xff" * STATE_BYTES)


env.AddPostAction(image, [  # noqa: F821
    env.VerboseAction('cd "%s" && $CC @boot/arguments -o "%s"' % (project, loader), "Building the boot loader"),  # noqa: F821
    env.VerboseAction(ELF_TO_BIN, "Building $TARGET with it"),  # noqa: F821
    env.VerboseAction(finish, "Ending $TARGET for it"),  # noqa: F821
])
if "uploadfs" not in COMMAND_LINE_TARGETS:
    env.Append(UPLOADERFLAGS=[STATE_AT, join("$BUILD_DIR", "state.bin")])  # noqa: F821
