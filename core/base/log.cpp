#include "core/base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <vector>

namespace hearth::log {
namespace {

constexpr std::size_t kRotateBytes = 5U << 20U;
constexpr std::size_t kKeptFiles = 3;

spdlog::level::level_enum toSpdlog(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warning: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

// spdlog's default logger writes to stdout, which belongs to results: ours never does.
std::shared_ptr<spdlog::logger> makeLogger(std::vector<spdlog::sink_ptr> sinks, Level level) {
  auto logger = std::make_shared<spdlog::logger>("hearth", sinks.begin(), sinks.end());
  logger->set_level(toSpdlog(level));
  logger->flush_on(spdlog::level::info);  // few lines, and a crash must not take the last ones
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %L %v");
  return logger;
}

std::atomic<std::shared_ptr<spdlog::logger>>& current() {
  static std::atomic<std::shared_ptr<spdlog::logger>> logger{
      makeLogger({std::make_shared<spdlog::sinks::stderr_sink_mt>()}, Level::Warning)};
  return logger;
}

}  // namespace

void initialise(Level level, const std::filesystem::path& file, bool alsoStderr) {
  std::vector<spdlog::sink_ptr> sinks;
  if (alsoStderr || file.empty()) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (!file.empty()) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kRotateBytes, kKeptFiles));
    } catch (const std::exception& problem) {
      // A log that cannot be written must not keep the program from starting.
      if (sinks.empty()) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
      current().store(makeLogger(sinks, level));
      warning("log", std::string("no log file: ") + problem.what());
      return;
    }
  }
  current().store(makeLogger(std::move(sinks), level));
}

void write(Level level, std::string_view room, std::string_view message) {
  current().load()->log(toSpdlog(level), "{}: {}", room, message);
}

}  // namespace hearth::log
