#include "output_file.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

namespace tcrops::stages {
namespace {

namespace fs = std::filesystem;

// What a chain of links leads to, even where that does not exist yet; a file is replaced there, so
// that the links stay.
fs::path behind_links(fs::path path) {
  std::error_code fault;
  while (fs::is_symlink(path, fault)) {
    const fs::path next = fs::read_symlink(path, fault);
    if (fault) throw system_error("cannot read the link", path, fault.value());
    path = path.parent_path() / next;
  }
  return path;
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : name_(path == "-" ? "stdout" : path) {
  if (path == "-") {
    stream_ = stdout;
    return;
  }
  std::error_code fault;
  switch (fs::status(path, fault).type()) {
    case fs::file_type::none:
      throw system_error("cannot create", path, fault.value());
    case fs::file_type::directory:
      throw Error(ExitCode::kFailure,
                  fmt::format("{}: a folder; name the file to write with --output", path));
    case fs::file_type::regular:
    case fs::file_type::not_found:
      file_ = std::make_unique<AtomicFile>(behind_links(path));
      return;
    default:
      open_stream(path);
  }
}

void OutputFile::write(std::string_view text) {
  if (file_) {
    file_->write(text);
  } else if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) {
    fail("cannot write");
  }
}

void OutputFile::commit() {
  if (file_) {
    file_->commit();
  } else if (std::fflush(stream_) != 0) {
    fail("cannot write");
  }
}

void OutputFile::open_stream(const std::string& path) {
  owned_.reset(std::fopen(path.c_str(), "wb"));  // of a pipe: waits for its reader
  if (!owned_) fail("cannot open");
  stream_ = owned_.get();
}

// A signal ends a wait for the other side of a pipe: then it is the reason.
void OutputFile::fail(const std::string& action) const {
  const int reason = errno;
  check_interrupt();
  throw system_error(action, name_, reason);
}

}  // namespace tcrops::stages
