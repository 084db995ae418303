#pragma once

#include <istream>
#include <memory>
#include <streambuf>
#include <string>

namespace tcrops::data {

// Plain bytes of a gzip source. Reading throws Error (kInputData) for damaged or incomplete data
// and for bytes that follow the last member (blocks of zero bytes, as tapes leave them, are fine).
[[nodiscard]] std::unique_ptr<std::streambuf> gzip_stream(std::unique_ptr<std::istream> source,
                                                          std::string name);

}  // namespace tcrops::data
