#include "download_http.hpp"

#include "download.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/core/text.hpp>

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>

namespace tcrops::stages {
namespace {

constexpr long kMostRedirects = 5;
constexpr curl_off_t kStallBytes = 1024;
using Clock = std::chrono::steady_clock;
using Outcome = HttpReply::Outcome;

// State shared with libcurl's callbacks. They are called from C, so exceptions wait in `failure`.
struct Transfer {
  CURL* handle = nullptr;
  const HttpRequest* request = nullptr;
  PartFile* part = nullptr;
  HttpReply reply{};
  bool accepted = false;  // the answer's headers have been looked at
  bool decided = false;   // the transfer was stopped by us, `reply` says why
  std::exception_ptr failure = nullptr;
  std::optional<Progress> progress{};
  curl_off_t mark = 0;  // bytes at `marked`, to tell a stall
  Clock::time_point marked = Clock::now();
};

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;

Handle make_handle() {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  Handle handle(kStarted == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) throw Error(ExitCode::kFailure, "libcurl cannot start");
  return handle;
}

template <class Value>
void set_option(CURL* handle, CURLoption option, Value value) {
  const CURLcode status = curl_easy_setopt(handle, option, value);
  if (status == CURLE_OK) return;
  throw Error(ExitCode::kFailure,
              fmt::format("libcurl refuses option {}: {}", static_cast<int>(option),
                          curl_easy_strerror(status)));
}

long status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

curl_off_t number_of(CURL* handle, CURLINFO info) {
  curl_off_t value = -1;
  curl_easy_getinfo(handle, info, &value);
  return value;
}

// First byte of a Content-Range header such as "bytes 100-199/200".
std::optional<std::int64_t> range_start(CURL* handle) {
  curl_header* header = nullptr;
  if (curl_easy_header(handle, "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
    return std::nullopt;
  }
  const std::string text = to_lower(trim(header->value));
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  return parse_integer(trim(split(text.substr(kUnit.size()), '-').front()));
}

void stop(Transfer& transfer, Outcome outcome, const std::string& reason = "") {
  transfer.decided = true;
  transfer.reply.outcome = outcome;
  transfer.reply.reason = reason;
}

// Looks at the headers before the first byte of the body is kept.
void accept(Transfer& transfer) {
  if (transfer.accepted) return;
  transfer.accepted = true;
  PartFile& part = *transfer.part;
  const long status = status_of(transfer.handle);
  if (status == 206) {
    if (range_start(transfer.handle) != static_cast<std::int64_t>(part.size())) {
      stop(transfer, Outcome::kRefused);
      return;
    }
    transfer.reply.resumed = part.size() > 0;
  } else if (status == 200) {
    if (part.size() > 0) part.reset();  // the server ignores Range
  } else {
    stop(transfer, Outcome::kFailed);  // judged by its status later
    return;
  }
  const curl_off_t declared = number_of(transfer.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
  const std::uint64_t total = declared < 0 ? 0 : part.size() + static_cast<std::uint64_t>(declared);
  if (total > transfer.request->limit) {
    stop(transfer, Outcome::kTooLong);
    return;
  }
  transfer.progress.emplace(transfer.request->label,
                            transfer.request->exact ? transfer.request->limit : total, "bytes",
                            part.size());
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  try {
    accept(transfer);
    if (!transfer.decided && bytes > transfer.request->limit - transfer.part->size()) {
      stop(transfer, Outcome::kTooLong);
    }
    if (transfer.decided) return 0;
    transfer.part->append({data, bytes});
    return bytes;
  } catch (...) {
    transfer.failure = std::current_exception();
    return 0;
  }
}

int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  try {
    check_interrupt();
    if (transfer.progress) transfer.progress->update(transfer.part->size());
    const auto now = Clock::now();
    // `received` starts again after a redirect.
    if (received < transfer.mark || received - transfer.mark >= kStallBytes) {
      transfer.mark = received;
      transfer.marked = now;
    }
    const double quiet = std::chrono::duration<double>(now - transfer.marked).count();
    if (quiet < transfer.request->stall_seconds) return 0;
    stop(transfer, Outcome::kFailed, fmt::format("nothing came for {:.3g} s", quiet));
  } catch (...) {
    transfer.failure = std::current_exception();
  }
  return 1;
}

void set_options(Transfer& transfer, char* error_text) {
  CURL* handle = transfer.handle;
  const std::string& url = transfer.request->url;
  // A redirect needs a protocol that both lists allow.
  const bool secure = to_lower(url.substr(0, 8)) == "https://";
  const char* protocols = secure ? "https" : "http,https";
  set_option(handle, CURLOPT_URL, url.c_str());
  set_option(handle, CURLOPT_PROTOCOLS_STR, protocols);
  set_option(handle, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  set_option(handle, CURLOPT_FOLLOWLOCATION, 1L);
  set_option(handle, CURLOPT_MAXREDIRS, kMostRedirects);
  set_option(handle, CURLOPT_FAILONERROR, 1L);
  set_option(handle, CURLOPT_NOSIGNAL, 1L);
  set_option(handle, CURLOPT_USERAGENT, "tcrops");
  set_option(handle, CURLOPT_ERRORBUFFER, error_text);
  set_option(handle, CURLOPT_WRITEFUNCTION, on_body);
  set_option(handle, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set_option(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  set_option(handle, CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  set_option(handle, CURLOPT_NOPROGRESS, 0L);
  if (transfer.part->size() > 0) {
    // Not CURLOPT_RESUME_FROM: that takes a 416 for success and a 200 for an error.
    set_option(handle, CURLOPT_RANGE, fmt::format("{}-", transfer.part->size()).c_str());
  }
}

[[noreturn]] void refuse(const HttpRequest& request, const std::string& why) {
  throw Error(ExitCode::kInputData,
              fmt::format("cannot get {}: {}", shown_location(request.url), why));
}

// The server's answer was an error status.
void judge_status(Transfer& transfer, long status) {
  HttpReply& reply = transfer.reply;
  if (status == 416 && transfer.part->size() > 0) {
    reply.outcome = Outcome::kRefused;
  } else if (status >= 500 || status == 408 || status == 425 || status == 429) {
    reply.outcome = Outcome::kFailed;
    reply.reason = fmt::format("the server answered {}", status);
    const curl_off_t pause = number_of(transfer.handle, CURLINFO_RETRY_AFTER);
    reply.pause_seconds = pause > 0 ? static_cast<double>(pause) : 0;
  } else if (status == 407) {
    refuse(*transfer.request, "the proxy asks for a login; set it in https_proxy or http_proxy");
  } else {
    refuse(
        *transfer.request,
        fmt::format("the server answered {}; check the address, or use a copy (--mirror DIR|URL)",
                    status));
  }
}

// libcurl itself gave up, on an answer that was not an error.
void judge_failure(Transfer& transfer, CURLcode code, const std::string& text) {
  switch (code) {
    case CURLE_TOO_MANY_REDIRECTS:
      refuse(*transfer.request, fmt::format("more than {} redirects", kMostRedirects));
    case CURLE_UNSUPPORTED_PROTOCOL:
      refuse(*transfer.request,
             text + "; redirects are followed to https, and to http only from http");
    case CURLE_URL_MALFORMAT:
      refuse(*transfer.request, "this is not a URL");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      refuse(*transfer.request, text + "; check the clock and the system's CA certificates");
    default:
      transfer.reply.outcome = Outcome::kFailed;
      transfer.reply.reason = text;
  }
}

// The transfer ended as libcurl expects.
void judge_whole(Transfer& transfer) {
  accept(transfer);  // an empty body never reaches on_body
  if (transfer.decided) return;
  const bool declared = number_of(transfer.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T) >= 0;
  if (transfer.request->exact && !declared && transfer.part->size() < transfer.request->limit) {
    // Without a length the end of the file and a lost connection look the same.
    transfer.reply.reason = "the body ended early";
    return;
  }
  transfer.reply.outcome = Outcome::kWhole;
}

}  // namespace

HttpReply http_fetch(const HttpRequest& request, PartFile& part) {
  const Handle handle = make_handle();
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Transfer transfer;
  transfer.handle = handle.get();
  transfer.request = &request;
  transfer.part = &part;
  set_options(transfer, error_text.data());
  const std::uint64_t start = part.size();
  const CURLcode code = curl_easy_perform(handle.get());
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  const long status = status_of(handle.get());
  if (status >= 400) {
    judge_status(transfer, status);
  } else if (code == CURLE_OK) {
    judge_whole(transfer);
  } else if (!transfer.decided) {
    const std::string text =
        error_text.front() == '\0' ? curl_easy_strerror(code) : error_text.data();
    judge_failure(transfer, code, text);
  }
  if (transfer.decided && status < 400 && transfer.accepted && status != 200 && status != 206) {
    refuse(request, fmt::format("the server answered {} instead of the file", status));
  }
  if (transfer.reply.outcome == Outcome::kRefused && start == 0) {
    refuse(request, "the server answered with a range that was not asked for");
  }
  return transfer.reply;
}

}  // namespace tcrops::stages
