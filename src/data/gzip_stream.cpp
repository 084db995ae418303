#include "gzip_stream.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>
#include <zlib.h>

namespace tcrops::data {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 17U;
// Window of 32 KiB, and a gzip header and trailer around the data (zlib.h, inflateInit2).
constexpr int kGzipWindow = 15 + 16;

class GzipStream : public std::streambuf {
 public:
  GzipStream(std::unique_ptr<std::istream> source, std::string name)
      : source_(std::move(source)),
        name_(std::move(name)),
        packed_(kBlockBytes),
        plain_(kBlockBytes) {
    if (inflateInit2(&state_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~GzipStream() override { inflateEnd(&state_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

 protected:
  int_type underflow() override {
    const std::size_t bytes = inflate_some();
    setg(plain_.data(), plain_.data(), plain_.data() + bytes);
    return bytes == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(ExitCode::kInputData, fmt::format("{}: {}", name_, problem));
  }

  // False at the end of the source.
  bool refill() {
    source_->read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
    if (source_->bad()) fail("reading stopped with an input error; check the disk or network");
    state_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    state_.avail_in = static_cast<uInt>(source_->gcount());
    return state_.avail_in > 0;
  }

  // After a member: begins the next one; false when there is none.
  bool next_member() {
    do {
      const auto* end = state_.next_in + state_.avail_in;
      const auto* at = std::find_if(state_.next_in, state_.next_in + state_.avail_in,
                                    [](Bytef byte) { return byte != 0; });
      if (at != end) {
        if (at != state_.next_in || *at != 0x1F) {
          fail(
              "bytes that are not gzip follow the compressed data; get the file anew, or cut them "
              "off");
        }
        inflateReset(&state_);
        return true;
      }
    } while (refill());
    return false;
  }

  // Number of plain bytes; 0 at the end.
  std::size_t inflate_some() {
    state_.next_out = reinterpret_cast<Bytef*>(plain_.data());
    state_.avail_out = static_cast<uInt>(plain_.size());
    while (!done_ && state_.avail_out == plain_.size()) {
      if (state_.avail_in == 0 && !refill()) {
        fail("the compressed data end too early; the file was cut off, get it anew");
      }
      const int result = inflate(&state_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        done_ = !next_member();
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail(fmt::format("the compressed data are damaged ({}); get the file anew",
                         state_.msg == nullptr ? "zlib" : state_.msg));
      }
    }
    return plain_.size() - state_.avail_out;
  }

  std::unique_ptr<std::istream> source_;
  std::string name_;
  std::vector<char> packed_;
  std::vector<char> plain_;
  z_stream state_{};
  bool done_ = false;
};

}  // namespace

std::unique_ptr<std::streambuf> gzip_stream(std::unique_ptr<std::istream> source,
                                            std::string name) {
  return std::make_unique<GzipStream>(std::move(source), std::move(name));
}

}  // namespace tcrops::data
