#pragma once

#include "download_part.hpp"

#include <cstdint>
#include <string>

namespace tcrops::stages {

// One HTTP request for the rest of a file.
struct HttpRequest {
  std::string url;
  std::string label;        // of the progress line
  std::uint64_t limit = 0;  // most bytes the file may have
  bool exact = false;       // the file has exactly `limit` bytes
  double stall_seconds = 30;
};

struct HttpReply {
  enum class Outcome {
    kWhole,    // the server says that this was all of it
    kFailed,   // may work another time; what arrived is in the part
    kRefused,  // the server cannot continue at the end of the part
    kTooLong,  // more than `limit` bytes
  };
  Outcome outcome = Outcome::kFailed;
  bool resumed = false;      // the body was added to bytes that were there before
  std::string reason;        // of kFailed
  double pause_seconds = 0;  // the server asked for this pause (Retry-After)
};

// Asks for what follows the end of `part` and appends it; starts the part again when the server
// sends the file from its beginning. Throws Error (kInputData) for what another try cannot change,
// system_error for a failed write, and what check_interrupt() throws. Thread-safe.
[[nodiscard]] HttpReply http_fetch(const HttpRequest& request, PartFile& part);

}  // namespace tcrops::stages
