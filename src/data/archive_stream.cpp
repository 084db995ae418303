#include "archive_stream.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>
#include <filesystem>
#include <vector>

namespace tcrops::data {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 17U;

struct Free {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

class ArchiveStream : public std::streambuf {
 public:
  ArchiveStream(std::unique_ptr<std::istream> source, std::string name, const std::string& member)
      : source_(std::move(source)),
        name_(std::move(name)),
        packed_(kBlockBytes),
        plain_(kBlockBytes),
        archive_(archive_read_new()) {
    if (!archive_) throw std::bad_alloc();
    archive_read_support_filter_zstd(archive_.get());
    archive_read_support_filter_xz(archive_.get());
    archive_read_support_filter_bzip2(archive_.get());
    archive_read_support_format_zip_streamable(archive_.get());
    archive_read_support_format_raw(archive_.get());
    if (archive_read_open(archive_.get(), this, nullptr, read_source, nullptr) != ARCHIVE_OK)
      fail();
    find(member);
  }

 protected:
  int_type underflow() override {
    const la_ssize_t bytes = archive_read_data(archive_.get(), plain_.data(), plain_.size());
    if (bytes < 0) fail();
    if (bytes == 0) refuse_second();
    setg(plain_.data(), plain_.data(), plain_.data() + bytes);
    return bytes == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

 private:
  static la_ssize_t read_source(archive* handle, void* self, const void** block) {
    auto* stream = static_cast<ArchiveStream*>(self);
    try {  // no exception may pass through the library
      stream->source_->read(stream->packed_.data(),
                            static_cast<std::streamsize>(stream->packed_.size()));
    } catch (const std::exception&) {
      stream->source_->setstate(std::ios::badbit);
    }
    if (stream->source_->bad()) {
      archive_set_error(handle, EIO, "reading stopped with an input error");
      return -1;
    }
    *block = stream->packed_.data();
    return static_cast<la_ssize_t>(stream->source_->gcount());
  }

  [[noreturn]] void fail() const {
    const char* reason = archive_error_string(archive_.get());
    throw Error(ExitCode::kInputData,
                fmt::format("{}: the compressed data are damaged or incomplete ({}); get the file "
                            "anew",
                            name_, reason == nullptr ? "unknown reason" : reason));
  }
  [[noreturn]] void refuse(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}: {}", name_, problem));
  }

  // Name of the next file in it; empty at the end. Folders are passed over.
  std::string next_entry() {
    for (;;) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) return {};
      if (result < ARCHIVE_WARN) fail();
      if (archive_entry_filetype(entry) == AE_IFDIR) continue;
      if (archive_entry_is_encrypted(entry) != 0) refuse("encrypted; unpack it first");
      const char* path = archive_entry_pathname(entry);
      const std::string name = path == nullptr ? "?" : path;
      if (name == "[Content_Types].xml" || name.starts_with("_rels/")) {
        refuse("an Excel workbook; save its sheet as CSV or TSV");
      }
      if (name.starts_with("__MACOSX/")) continue;  // what macOS adds of its own
      return name;
    }
  }

  void find(const std::string& member) {
    is_only_ = member.empty();
    std::string seen;
    for (std::string path = next_entry(); !path.empty(); path = next_entry()) {
      if (is_only_ || std::filesystem::path(path).filename() == member) return;
      seen += (seen.empty() ? "" : ", ") + path;
    }
    if (is_only_) refuse("there is no file in the archive");
    refuse(fmt::format("no file {} in the archive, which has {}", member,
                       seen.empty() ? "none" : seen));
  }

  // Without a name there must be no choice.
  void refuse_second() {
    if (!is_only_ || archive_format(archive_.get()) == ARCHIVE_FORMAT_RAW) return;
    const std::string second = next_entry();
    if (!second.empty()) {
      refuse(fmt::format("several files in the archive, {} among them; unpack it and name one",
                         second));
    }
  }

  std::unique_ptr<std::istream> source_;
  std::string name_;
  std::vector<char> packed_;
  std::vector<char> plain_;
  std::unique_ptr<archive, Free> archive_;
  bool is_only_ = true;
};

}  // namespace

std::unique_ptr<std::streambuf> archive_stream(std::unique_ptr<std::istream> source,
                                               std::string name, const std::string& member) {
  return std::make_unique<ArchiveStream>(std::move(source), std::move(name), member);
}

}  // namespace tcrops::data
