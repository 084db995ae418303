// Compressed bytes for tests, made with zlib and libarchive.
#pragma once

#include <tcrops/data/input.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <catch_all.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>

namespace tcrops::data {

// One gzip member.
inline std::string gzip(const std::string& plain) {
  z_stream state{};
  // 15 + 16: window of 32 KiB, gzip around it.
  REQUIRE(deflateInit2(&state, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&state, plain.size()) + 32, '\0');
  std::string copy = plain;
  state.next_in = reinterpret_cast<Bytef*>(copy.data());
  state.avail_in = static_cast<uInt>(copy.size());
  state.next_out = reinterpret_cast<Bytef*>(packed.data());
  state.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&state, Z_FINISH) == Z_STREAM_END);
  packed.resize(state.total_out);
  deflateEnd(&state);
  return packed;
}

using Members = std::vector<std::pair<std::string, std::string>>;

// "zip", or "zstd" of a single member; `options` as libarchive writes them.
inline std::string archived(const std::string& kind, const Members& members,
                            const std::string& options = "") {
  std::vector<char> buffer(std::size_t{1} << 22U);
  std::size_t used = 0;
  archive* out = archive_write_new();
  if (kind == "zip") {
    archive_write_set_format_zip(out);
  } else {
    archive_write_add_filter_zstd(out);
    archive_write_set_format_raw(out);
  }
  if (!options.empty()) REQUIRE(archive_write_set_options(out, options.c_str()) == ARCHIVE_OK);
  if (options.find("encryption") != std::string::npos) archive_write_set_passphrase(out, "secret");
  archive_write_set_bytes_in_last_block(out, 1);
  REQUIRE(archive_write_open_memory(out, buffer.data(), buffer.size(), &used) == ARCHIVE_OK);
  for (const auto& [name, text] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    const bool is_folder = name.back() == '/';
    archive_entry_set_filetype(entry, is_folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
    archive_write_data(out, text.data(), text.size());
    archive_entry_free(entry);
  }
  REQUIRE(archive_write_close(out) == ARCHIVE_OK);
  archive_write_free(out);
  return {buffer.data(), used};
}

// What open_input() makes of the bytes.
inline std::string unpacked(const std::string& bytes, const std::string& member = "") {
  const Input input = open_input(std::make_unique<std::istringstream>(bytes), "t", member);
  std::string text;
  std::array<char, 1000> block{};
  while (input.stream->read(block.data(), block.size()), input.stream->gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(input.stream->gcount()));
  }
  return text;
}

}  // namespace tcrops::data
