#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hearth::log {

enum class Level { Debug, Info, Warning, Error };

/// Where log lines go. Called once from main, before threads start; without it, warnings and errors go to stderr.
/// `file` empty = stderr only. Rotates at 5 MiB, keeps 3.
void initialise(Level level, const std::filesystem::path& file, bool alsoStderr);

/// Writes one line. Thread-safe. `room` names the part of the house ("engine", "server").
void write(Level level, std::string_view room, std::string_view message);

inline void debug(std::string_view room, std::string_view message) { write(Level::Debug, room, message); }
inline void info(std::string_view room, std::string_view message) { write(Level::Info, room, message); }
inline void warning(std::string_view room, std::string_view message) { write(Level::Warning, room, message); }
inline void error(std::string_view room, std::string_view message) { write(Level::Error, room, message); }

}  // namespace hearth::log
