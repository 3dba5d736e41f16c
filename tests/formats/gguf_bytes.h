#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace hearth::test {

/// Writes GGUF by hand, field by field, so that a test can lie in any of them. Deliberately not our writer.
class GgufBytes {
 public:
  template <class T>
  GgufBytes& number(T value) {
    m_bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  GgufBytes& u32(std::uint32_t value) { return number(value); }
  GgufBytes& u64(std::uint64_t value) { return number(value); }
  GgufBytes& raw(std::string_view value) {
    m_bytes.append(value);
    return *this;
  }
  GgufBytes& string(std::string_view value) { return u64(value.size()).raw(value); }
  GgufBytes& header(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(tensors).u64(entries);
  }
  GgufBytes& entry(std::string_view key, std::uint32_t value) { return string(key).u32(4).u32(value); }
  GgufBytes& entry(std::string_view key, std::string_view value) { return string(key).u32(8).string(value); }
  GgufBytes& tensor(std::string_view name, std::initializer_list<std::uint64_t> dims, std::uint32_t type, std::uint64_t offset) {
    string(name).u32(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t extent : dims) u64(extent);
    return u32(type).u64(offset);
  }
  GgufBytes& padTo(std::size_t alignment) {
    m_bytes.resize((m_bytes.size() + alignment - 1) / alignment * alignment, '\0');
    return *this;
  }
  GgufBytes& zeros(std::size_t count) {
    m_bytes.append(count, '\0');
    return *this;
  }
  [[nodiscard]] std::size_t size() const { return m_bytes.size(); }
  [[nodiscard]] std::string& bytes() { return m_bytes; }
  [[nodiscard]] std::span<const std::byte> span() const { return std::as_bytes(std::span(m_bytes)); }

 private:
  std::string m_bytes;
};

inline void writeFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string readFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace hearth::test
