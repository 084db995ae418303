#pragma once

#include <tcrops/core/file.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace tcrops::stages {

// Where result lines go: a file that appears whole when they are all there (of a link: what it
// leads to); or stdout ("-"), a pipe or a device, line by line. Throws Error (kFailure) for a
// folder, (kTemporary) for a full disk, (kReaderGone) when nobody reads any more.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  [[nodiscard]] bool is_stream() const { return stream_ != nullptr; }
  void write(std::string_view text);
  void commit();

 private:
  struct Close {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  void open_stream(const std::string& path);
  [[noreturn]] void fail(const std::string& action) const;

  std::string name_;
  std::unique_ptr<AtomicFile> file_;
  std::unique_ptr<std::FILE, Close> owned_;
  std::FILE* stream_ = nullptr;
};

}  // namespace tcrops::stages
