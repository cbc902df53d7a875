# SPDX-License-Identifier: GPL-3.0-or-later
# Builds, within PlatformIO, of the wolfSSL that it fetched what our own build takes of it: the files listed in sources.txt. The others
# would bring what user_settings.h leaves out, and the few that ours stand for, twice.
from os.path import join

Import("env")  # noqa: F821, PlatformIO's own way

library = join(env.subst("$PROJECT_LIBDEPS_DIR"), env["PIOENV"], "wolfssl")  # noqa: F821
with open(join(env.subst("$PROJECT_DIR"), "wolfssl", "sources.txt")) as listed:  # noqa: F821
    wanted = ["+<%s.c>" % line.strip() for line in listed if line.strip()]

env.Append(CPPPATH=[library])  # noqa: F821
env.BuildSources(join("$BUILD_DIR", "wolfssl"), library, src_filter=["-<*>"] + wanted)  # noqa: F821
