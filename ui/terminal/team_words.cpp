#include "ui/terminal/team_words.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace hearth::terminal {
namespace {

// Characters, not bytes: names may be of any script. Wide ones count as one; a column is then a little off, no more.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Result<std::chrono::seconds> parseDuration(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  std::int64_t seconds = 0;
  if (unit == "s") seconds = 1;
  if (unit == "m") seconds = 60;
  if (unit == "h") seconds = 3600;
  if (unit == "d") seconds = 24 * 3600;
  constexpr std::int64_t kLongest = 100LL * 366 * 24 * 3600;
  if (problem != std::errc() || seconds == 0 || number < 0 || number > kLongest / seconds) {
    return fail(ErrorCode::InvalidArgument, "a time is a whole number with s, m, h or d, such as 30d",
                {{"value", text.substr(0, 100)}});
  }
  return std::chrono::seconds(number * seconds);
}

std::string when(std::int64_t ms) {
  if (ms == 0) return "never";
  using namespace std::chrono;
  const auto time = floor<minutes>(sys_time<milliseconds>(milliseconds(ms)));
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count());
}

std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : heading) widths.push_back(width(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += cells[i];
      if (i + 1 < cells.size()) out.append(widths[i] - width(cells[i]) + 2, ' ');
    }
    out += '\n';
  };
  line(heading);
  for (const auto& row : rows) line(row);
  return out;
}

std::string joined(const std::vector<std::string>& words, const char* none) {
  if (words.empty()) return none;
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

Actor terminalActor() {
  Actor actor;
  actor.who = machinePrincipal();
  actor.who.name = "(terminal)";
  actor.client = fmt::format("uid {}", ::getuid());
  return actor;
}

int refuse(const Error& error) {
  const int code = report(error);
  return error.code == ErrorCode::AlreadyExists && error.find("pid").empty() ? kExitFailed : code;
}

}  // namespace hearth::terminal
