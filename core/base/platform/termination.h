#pragma once

namespace hearth::platform {

/// Turns the system's request to end this process (SIGINT, SIGTERM, SIGHUP) into something that an event loop can wait for:
/// the returned descriptor becomes readable when the first one comes. A second one of the same kind ends the process at
/// once, for the case that ending takes too long. Once for each process, from main(); -1 when the system refuses, and the
/// signals then do what they always did. Programs that this one starts get the usual signals.
[[nodiscard]] int watchTermination() noexcept;

/// A closed pipe or socket, and a file that grows past the user's limit, become errors of that write (EPIPE, EFBIG) instead
/// of the end of the process. From main().
void ignoreWriteSignals() noexcept;

}  // namespace hearth::platform
