// Any bytes unpack to some text or end with an error about the input.
#include "fuzz.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/input.hpp>

#include <array>
#include <sstream>
#include <zlib.h>

namespace {

using tcrops::fuzz::require;

// Damaged data may unpack to very much.
constexpr std::size_t kEnough = std::size_t{1} << 22U;

std::string gzip(const std::string& plain) {
  z_stream state{};
  require(deflateInit2(&state, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK,
          "zlib begins");
  std::string copy = plain;
  std::string packed(deflateBound(&state, copy.size()) + 32, '\0');
  state.next_in = reinterpret_cast<Bytef*>(copy.data());
  state.avail_in = static_cast<uInt>(copy.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  require(deflate(&state, Z_FINISH) == Z_STREAM_END, "zlib ends");
  packed.resize(state.total_out);
  deflateEnd(&state);
  return packed;
}

std::string unpacked(const tcrops::data::Input& input) {
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() < kEnough) {
    input.stream->read(block.data(), block.size());
    if (input.stream->gcount() == 0) break;
    text.append(block.data(), static_cast<std::size_t>(input.stream->gcount()));
  }
  return text;
}

// "zip" of one stored file, by the format's description (PKWARE APPNOTE, 4.3.7): signature,
// version, flags, method, time, date, CRC, both sizes, lengths of name and extra field.
std::string stored_zip(const std::string& name, const std::string& text) {
  const auto number = [](std::uint64_t value, std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
    return out;
  };
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  return "PK\x03\x04" + number(10, 2) + number(0, 8) + number(crc, 4) + number(text.size(), 4) +
         number(text.size(), 4) + number(name.size(), 2) + number(0, 2) + name + text +
         "PK\x01\x02" + number(0, 42);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcrops::fuzz::Bytes bytes(data, size);
  const std::string member = bytes.below(2) == 0 ? "" : "a.csv";
  const std::string text = bytes.rest();
  try {
    const auto input =
        tcrops::data::open_input(std::make_unique<std::istringstream>(text), "t", member);
    const std::string out = unpacked(input);
    if (input.compression.empty()) require(out == text.substr(0, out.size()), "plain bytes stay");
  } catch (const tcrops::Error& error) {
    require(error.code() == tcrops::ExitCode::kInputData, "only the input is at fault");
    require(std::string_view(error.what()).starts_with("t"), "the message names the file");
  }
  return 0;
}

std::vector<std::string> tcrops::fuzz::seeds(const std::vector<std::string>& tables) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < tables.size(); i += 5) {
    const std::string text = tables[i].substr(0, 2000);
    for (const std::string& packed :
         {tables[i], gzip(text), gzip(text) + gzip("a\n"), stored_zip("a.csv", text)}) {
      all.push_back(std::string(1, '\0') + packed);
    }
  }
  const std::string text = "CDR3_beta\nCASSIRSSYEQYF\n";
  // Two zstd frames: one stored block each (RFC 8878, 3.1.1), of 5 bytes and of none.
  const std::string zstd(
      "\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00"
      "abcd\n"
      "\x28\xB5\x2F\xFD\x20\x00\x01\x00\x00",
      23);
  for (const std::string& packed :
       {text, gzip(text), gzip(""), stored_zip("a.csv", text), stored_zip("x/a.csv", text), zstd}) {
    all.push_back(std::string(1, '\0') + packed);
    all.push_back(std::string(1, '\1') + packed);
  }
  return all;
}
