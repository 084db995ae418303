// What is asked of a request before the library reads its body, and done to the body after it.
#pragma once

#include <cstddef>
#include <httplib.h>
#include <string>

namespace tcrops::serve {

// The library would unpack a body by its Content-Encoding, and take one that ends early for whole.
// So it does not get to see that header, which has this name from then on.
inline constexpr const char* kBodyEncoding = "X-Body-Encoding";

[[nodiscard]] bool is_chunked(const httplib::Request& request);
[[nodiscard]] bool has_body(const httplib::Request& request);
// Throws HttpError for a body that the library would read wrongly, or for ever, or that has more
// than `most_bytes`.
void require_readable_body(const httplib::Request& request, std::size_t most_bytes);

// A compressed body becomes a plain one, whether a header says so or only its first bytes. Throws
// HttpError 400 when it must be gzip and is not, 413 for more than `most_bytes`, and Error
// (kInputData) for damaged data.
void unpack(std::string& body, bool must_be_gzip, std::size_t most_bytes);

// Of a Host header: "localhost:8080", "127.0.0.1", "[::1]:80".
[[nodiscard]] bool is_loopback_name(const std::string& host);

}  // namespace tcrops::serve
