#include "core/server/transport/spooled_body.h"

#include <fmt/format.h>

#include <cerrno>
#include <random>

namespace hearth::http {

Result<std::shared_ptr<SpooledBody>> SpooledBody::create(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) return fail(errorFromErrno(problem.value(), "cannot make the folder", folder.string()));
  std::random_device random;
  for (int attempt = 0; attempt < 8; ++attempt) {
    auto path = folder / fmt::format("upload-{:08x}{:08x}", random(), random());
    // "x": never another's file.
    if (std::FILE* file = std::fopen(path.c_str(), "wbx"))
      return std::shared_ptr<SpooledBody>(new SpooledBody(std::move(path), file));
    if (errno != EEXIST) return fail(errorFromErrno(errno, "cannot write", path.string()));
  }
  return fail(ErrorCode::Io, "no free name for an upload", {{"path", folder.string()}});
}

SpooledBody::~SpooledBody() {
  if (m_file != nullptr) (void)std::fclose(m_file);
  std::error_code ignored;
  std::filesystem::remove(m_path, ignored);
}

bool SpooledBody::append(std::string_view bytes) {
  if (m_file == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), m_file) != bytes.size()) return false;
  m_bytes += bytes.size();
  return true;
}

bool SpooledBody::finish() {
  if (m_file == nullptr) return false;
  std::FILE* const file = m_file;
  m_file = nullptr;
  return std::fclose(file) == 0;
}

}  // namespace hearth::http
