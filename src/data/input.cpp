#include "archive_stream.hpp"
#include "gzip_stream.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/data/input.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>

namespace tcrops::data {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view compression;
};
constexpr std::array kMagic = {Magic{"\x1F\x8B", "gzip"}, Magic{"\x28\xB5\x2F\xFD", "zstd"},
                               Magic{"PK\x03\x04", "zip"}, Magic{"\xFD\x37\x7AXZ", "xz"},
                               Magic{"BZh", "bzip2"}};
constexpr std::size_t kLongestMagic = 5;

// Puts bytes that were looked at back before the rest of a stream.
class Rejoined : public std::streambuf {
 public:
  Rejoined(std::string first, std::unique_ptr<std::istream> rest)
      : first_(std::move(first)), rest_(std::move(rest)), block_(std::size_t{1} << 16U, '\0') {
    setg(first_.data(), first_.data(), first_.data() + first_.size());
  }

 protected:
  int_type underflow() override {
    rest_->read(block_.data(), static_cast<std::streamsize>(block_.size()));
    if (rest_->bad()) throw std::ios_base::failure("input error");
    setg(block_.data(), block_.data(), block_.data() + rest_->gcount());
    return gptr() == egptr() ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

 private:
  std::string first_;
  std::unique_ptr<std::istream> rest_;
  std::string block_;
};

// A stream that owns its buffer and lets the buffer's exceptions through.
class OwningStream : public std::istream {
 public:
  explicit OwningStream(std::unique_ptr<std::streambuf> buffer)
      : std::istream(buffer.get()), buffer_(std::move(buffer)) {
    exceptions(std::ios::badbit);
  }

 private:
  std::unique_ptr<std::streambuf> buffer_;
};

std::string compression_of(std::string_view first) {
  for (const Magic& magic : kMagic) {
    if (first.starts_with(magic.bytes)) return std::string(magic.compression);
  }
  return {};
}

void warn_of_name(const std::string& name, const std::string& compression) {
  const std::string extension = std::filesystem::path(name).extension().string();
  const bool claims = extension == ".gz" || extension == ".zst" || extension == ".zip";
  if (claims && compression.empty()) {
    log_warning(fmt::format("{}: not compressed, whatever its name says; read as it is", name));
  }
}

}  // namespace

Input open_input(std::unique_ptr<std::istream> source, const std::string& name,
                 const std::string& member) {
  std::string first(kLongestMagic, '\0');
  source->read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(source->gcount()));
  source->clear(source->rdstate() & ~(std::ios::eofbit | std::ios::failbit));
  Input input;
  input.name = name;
  input.compression = compression_of(first);
  warn_of_name(name, input.compression);
  auto whole = std::make_unique<OwningStream>(
      std::make_unique<Rejoined>(std::move(first), std::move(source)));
  whole->exceptions(std::ios::goodbit);  // who reads it asks for bad(), and knows where it is
  if (input.compression.empty()) {
    input.stream = std::move(whole);
  } else if (input.compression == "gzip") {
    input.stream = std::make_unique<OwningStream>(gzip_stream(std::move(whole), name));
  } else {
    input.stream = std::make_unique<OwningStream>(archive_stream(std::move(whole), name, member));
    if (!member.empty()) input.name += "/" + member;
  }
  return input;
}

Input open_input(const std::string& path, const std::string& member) {
  if (path == "-") {
    return open_input(std::make_unique<std::istream>(std::cin.rdbuf()), "stdin", member);
  }
  std::error_code fault;  // one that matters shows again when the file is opened
  if (std::filesystem::is_directory(path, fault)) {
    throw Error(ExitCode::kInputData, fmt::format("{}: a folder, not a file", path));
  }
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) throw system_error("cannot read", path, errno, ExitCode::kInputData);
  return open_input(std::move(file), path, member);
}

}  // namespace tcrops::data
