#include "core/library/file_import.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <ranges>
#include <utility>

#include "core/base/paths.h"
#include "core/base/platform/platform.h"

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = 4U << 20U;
constexpr std::uint64_t kSpareBytes = 64U << 20U;  // left free for the database and logs

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

Result<FilePtr> open(const fs::path& path, const char* mode, const char* what) {
  FilePtr file(std::fopen(path.c_str(), mode));
  if (!file) return fail(errorFromErrno(errno, what, path.string()));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // whole chunks anyway, and errors at once
  return file;
}

/// Reads files in chunks and tells how far the whole import is.
class Reader {
 public:
  Reader(const ModelFiles& model, const std::function<bool(ImportProgress)>& progress)
      : m_progress(progress), m_total(model.bytes), m_buffer(kChunk) {}

  /// Calls take(bytes) for each chunk; stops early when it gives false or an error.
  template <class Take>
  Result<void> read(const fs::path& path, Take&& take) {
    HEARTH_TRY(const FilePtr file, open(path, "rb", "cannot read the file to import"));
    const auto size = fs::file_size(path);
    std::uintmax_t got = 0;
    for (;;) {
      const std::size_t n = std::fread(m_buffer.data(), 1, m_buffer.size(), file.get());
      if (n == 0) break;
      got += n;
      HEARTH_TRY(const bool more, take(std::string_view(m_buffer.data(), n)));
      if (!more) return {};
      m_done += n;
      if (m_progress && !m_progress({std::min(m_done, m_total), m_total})) return fail(ErrorCode::Cancelled, "the import was cancelled");
    }
    if (std::ferror(file.get()) != 0) return fail(errorFromErrno(errno, "cannot read the file to import", path.string()));
    if (got != size) return fail(ErrorCode::Truncated, "the file changed while it was copied", {{"path", path.string()}});
    return {};
  }

 private:
  const std::function<bool(ImportProgress)>& m_progress;
  std::uint64_t m_done = 0;
  std::uint64_t m_total;
  std::vector<char> m_buffer;
};

Result<bool> sameContent(Reader& reader, const fs::path& source, const fs::path& target) {
  std::error_code code;
  if (fs::file_size(source, code) != fs::file_size(target, code) || code) return false;
  HEARTH_TRY(const FilePtr other, open(target, "rb", "cannot read the file that is there already"));
  std::vector<char> buffer(kChunk);
  bool same = true;
  const auto compared = reader.read(source, [&](std::string_view bytes) -> Result<bool> {
    const std::size_t n = std::fread(buffer.data(), 1, bytes.size(), other.get());
    same = bytes == std::string_view(buffer.data(), n);
    return same;
  });
  if (!compared) return std::unexpected(compared.error());
  return same;
}

Result<void> copyOne(Reader& reader, const fs::path& source, const fs::path& temporary) {
  HEARTH_TRY(FilePtr out, open(temporary, "wb", "cannot write into the models folder"));
  const auto copied = reader.read(source, [&](std::string_view bytes) -> Result<bool> {
    if (std::fwrite(bytes.data(), 1, bytes.size(), out.get()) != bytes.size()) {
      return fail(errorFromErrno(errno, "cannot write into the models folder", temporary.string()));
    }
    return true;
  });
  if (!copied) return copied;
  if (std::fclose(out.release()) != 0) return fail(errorFromErrno(errno, "cannot write into the models folder", temporary.string()));
  return platform::syncFile(temporary);
}

Result<fs::path> copyAll(const fs::path& folder, const ModelFiles& model, const std::function<bool(ImportProgress)>& progress) {
  Reader reader(model, progress);
  std::vector<std::pair<fs::path, fs::path>> toCopy;  // source, target
  std::uint64_t needed = 0;
  for (const fs::path& source : model.parts) {
    HEARTH_TRY(const fs::path target, safeChild(folder, source.filename().string()));
    std::error_code code;
    if (!fs::exists(target, code)) {
      needed += fs::file_size(source);
      toCopy.emplace_back(source, target);
      continue;
    }
    HEARTH_TRY(const bool same, sameContent(reader, source, target));
    if (!same) {
      return fail(ErrorCode::AlreadyExists, "another model has this file name already",
                  {{"path", target.string()}, {"source", source.string()}});
    }
  }
  const fs::path first = folder / model.parts.front().filename();
  if (toCopy.empty()) return first;

  const std::uint64_t available = fs::space(folder).available;
  if (available < needed + kSpareBytes) {
    return fail(Error{ErrorCode::DiskFull, "there is not enough space for this model", {{"path", folder.string()}}}
                    .with("needed_bytes", needed + kSpareBytes)
                    .with("available_bytes", available));
  }
  const auto temporaryOf = [](const fs::path& target) {
    return target.parent_path() / fmt::format(".{}{}", target.filename().string(), kImportSuffix);
  };
  const auto clean = [&] {
    std::error_code ignored;
    for (const auto& [source, target] : toCopy) fs::remove(temporaryOf(target), ignored);
  };
  for (const auto& [source, target] : toCopy) {
    if (auto copied = copyOne(reader, source, temporaryOf(target)); !copied) {
      clean();
      return std::unexpected(std::move(copied).error());
    }
  }
  for (const auto& [source, target] : toCopy | std::views::reverse) {
    std::error_code code;
    fs::rename(temporaryOf(target), target, code);
    if (code) {
      clean();
      return fail(errorFromErrno(code.value(), "cannot name the imported file", target.string()));
    }
  }
  HEARTH_CHECK(platform::syncFolder(folder));
  return first;
}

}  // namespace

Result<fs::path> copyInto(const fs::path& folder, const ModelFiles& model, const std::function<bool(ImportProgress)>& progress) {
  try {
    return copyAll(folder, model, progress);
  } catch (const fs::filesystem_error& problem) {
    return fail(errorFromErrno(problem.code().value(), "cannot import", problem.path1().string()));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::Internal, std::string("cannot import: ") + problem.what());
  }
}

void removeLeftovers(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> leftovers;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') && name.ends_with(kImportSuffix)) leftovers.push_back(entry->path());
  }
  for (const fs::path& leftover : leftovers) fs::remove(leftover, code);
}

}  // namespace hearth::library
