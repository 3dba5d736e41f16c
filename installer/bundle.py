#!/usr/bin/env python3
"""Makes an installed tree run from any folder: bundle.py TREE

Copies the libraries that the programs need into TREE/lib/hearth, where their run path looks, with Qt's plugins; writes
TREE/README.txt, which names what the system must have. Left to the system: the C and C++ libraries, graphics, and what talks
to a service of the desktop: those must match the machine, not the program.
"""
import os
import re
import shutil
import subprocess
import sys

# The system's: a copy beside the program would not fit its drivers, its fonts or its display.
SYSTEM = re.compile(r"""^(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libgcc_s|libstdc\+\+|libatomic
  |libGL|libGLX|libGLdispatch|libEGL|libOpenGL|libdrm|libgbm|libvulkan
  |libX11|libX11-xcb|libXau|libXdmcp|libXext|libxcb|libxcb-(?!cursor|icccm|image|keysyms|render-util|util|xinerama).*|libwayland-.*|libxkbcommon.*|libSM|libICE
  |libfontconfig|libfreetype|libexpat|libz|libdbus-1|libsystemd|libudev|libglib-2\.0|libgio-2\.0|libgobject-2\.0|libgmodule-2\.0|libgthread-2\.0
  |libmount|libblkid|libselinux|libgssapi_krb5|libkrb5|libkrb5support|libk5crypto|libcom_err|libkeyutils|libcap|liblzma|libgcrypt|libgpg-error|libp11-kit|libffi)\.so(\.|$)""".replace("\n  ", ""))
PLUGINS = ["platforms/libqxcb.so", "platforms/libqoffscreen.so", "platforms/libqwayland-generic.so", "platforms/libqwayland-egl.so",
           "xcbglintegrations", "wayland-shell-integration", "wayland-decoration-client", "wayland-graphics-integration-client",
           "iconengines/libqsvgicon.so", "imageformats/libqsvg.so", "imageformats/libqjpeg.so", "imageformats/libqgif.so",
           "platforminputcontexts", "platformthemes/libqxdgdesktopportal.so", "tls/libqopensslbackend.so", "tls/libqcertonlybackend.so"]


def needed(path):
    """What the linker would load for it: {name: path}, all levels."""
    text = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*(\S+) => (\S+) \(0x", line)
        if match:
            found[match[1]] = match[2]
        elif "not found" in line:
            sys.exit(f"bundle: {path} needs {line.strip()}")
    return found


def qt_folder(name):
    result = subprocess.run(["qtpaths6", "--query", name], capture_output=True, text=True) if shutil.which("qtpaths6") else None
    if result and result.returncode == 0:
        return result.stdout.strip()
    tools = subprocess.run(["qmake6", "-query", name], capture_output=True, text=True)
    return tools.stdout.strip()


def copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(os.path.realpath(source), target)
    os.chmod(target, 0o755)
    subprocess.run(["strip", "--strip-unneeded", target], check=False, capture_output=True)


def main():
    if len(sys.argv) != 2 or not os.path.isdir(os.path.join(sys.argv[1], "bin")):
        sys.exit(__doc__)
    tree = os.path.abspath(sys.argv[1])
    place = os.path.join(tree, "lib/hearth")
    roots = [os.path.join(tree, "bin", name) for name in os.listdir(os.path.join(tree, "bin"))]
    if os.path.exists(os.path.join(tree, "bin/hearth-desktop")):
        plugins = qt_folder("QT_INSTALL_PLUGINS")
        for each in PLUGINS:
            source = os.path.join(plugins, each)
            files = [each] if source.endswith(".so") else [os.path.join(each, f) for f in (os.listdir(source) if os.path.isdir(source) else [])]
            for file in files:
                if os.path.exists(os.path.join(plugins, file)):
                    roots.append(os.path.join(plugins, file))
                    copy(os.path.join(plugins, file), os.path.join(place, "plugins", file))
        translations = qt_folder("QT_INSTALL_TRANSLATIONS")
        for file in os.listdir(translations) if os.path.isdir(translations) else []:
            if file.startswith("qtbase_zh"):
                os.makedirs(os.path.join(place, "translations"), exist_ok=True)
                shutil.copyfile(os.path.join(translations, file), os.path.join(place, "translations", file))
        with open(os.path.join(tree, "bin/qt.conf"), "w", encoding="utf-8") as file:
            file.write("[Paths]\nPrefix = ..\nPlugins = lib/hearth/plugins\nTranslations = lib/hearth/translations\n")
    libraries, system = {}, set()
    for root in roots:
        for name, path in needed(root).items():
            if SYSTEM.match(name):
                system.add(name)
            else:
                libraries[name] = path
    packages = set()
    for name, path in sorted(libraries.items()):
        copy(path, os.path.join(place, name))
        for candidate in (path, os.path.realpath(path)):
            owner = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
            if owner.returncode == 0:
                packages.add(owner.stdout.split(":")[0])
                break
    for package in sorted(packages):
        text = f"/usr/share/doc/{package}/copyright"
        if os.path.exists(text):
            os.makedirs(os.path.join(tree, "share/doc/libraries"), exist_ok=True)
            shutil.copyfile(os.path.realpath(text), os.path.join(tree, "share/doc/libraries", package + ".txt"))
    glibc = os.confstr("CS_GNU_LIBC_VERSION").split()[-1]
    with open(os.path.join(tree, "README.txt"), "w", encoding="utf-8") as file:
        file.write(f"""Hearth: language models on your own machine, shared with your team.

bin/hearth            the command and the headless server (man -l share/man/man1/hearth.1)
bin/hearth-desktop    the window
integrate.sh          adds menu entry, icons, file type, links and the user unit to your account; --remove takes them back

The folder can lie anywhere and be moved. With a file named "portable" in it, all data stays in its folder "data", too.

From the system it needs glibc {glibc} or newer and:
{chr(10).join("  " + name for name in sorted(system))}
The other libraries lie in lib/hearth; their licences are in share/doc/libraries. LICENSE is the source's; the window is linked
with Qt Charts, and bin/hearth-desktop therefore distributed under LICENSE.GPL-3.
""")
    print(f"bundle: {len(libraries)} libraries, {len(system)} from the system", file=sys.stderr)


if __name__ == "__main__":
    main()
