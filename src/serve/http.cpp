#include "http.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <new>

namespace tcrops::serve {
namespace {

constexpr std::size_t kLongestId = 64;

bool is_id_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

// How well one part of an Accept header ("text/*;q=0.5") fits a type: 0 not at all, 3 by name.
int fit(std::string_view range, const std::string& type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  return range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1)) ? 2 : 0;
}

double quality_of(const std::vector<std::string>& parameters) {
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    const std::string_view parameter = trim(parameters[i]);
    if (parameter.starts_with("q=")) return parse_number(parameter.substr(2)).value_or(0.0);
  }
  return 1.0;
}

// What the most exact part of the header that fits a type says of it.
double quality_for(std::string_view accept, const std::string& type) {
  int best = 0;
  double quality = 0.0;
  for (const std::string& each : split(accept, ',')) {
    const auto parts = split(each, ';');
    const int fits = fit(to_lower(trim(parts.front())), type);
    if (fits > best) {
      best = fits;
      quality = quality_of(parts);
    }
  }
  return quality;
}

}  // namespace

const std::string& value_of(const Headers& headers, std::string_view name) {
  static const std::string kNone;
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& header) { return header.first == name; });
  return at == headers.end() ? kNone : at->second;
}

const std::string& Request::header(std::string_view lower_name) const {
  return value_of(headers, lower_name);
}

const std::string& Request::query_value(std::string_view name) const {
  return value_of(query, name);
}

Response json_response(const Json& body) {
  Response response;
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

Response error_response(const HttpError& error, const std::string& request_id) {
  Response response = json_response({{"error", error.what()}, {"request_id", request_id}});
  response.status = error.status();
  response.headers = error.headers();
  return response;
}

namespace {

constexpr const char* kInternal = "internal error; the server's log says more";

// What whoever asked is told of the exception that is handled; 500 when it is none of their
// business.
HttpError as_http_error() {
  try {
    throw;
  } catch (const HttpError& e) {
    return e;
  } catch (const Error& e) {
    if (e.code() == ExitCode::kInputData || e.code() == ExitCode::kUsage) return {400, e.what()};
  } catch (const std::bad_alloc&) {
    return {503, "out of memory; try a smaller request"};
  } catch (...) {
  }
  return {500, kInternal};
}

std::string text_of_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something that is no exception";
  }
}

}  // namespace

Response response_to_exception(const std::string& request_id) {
  const HttpError error = as_http_error();
  if (error.status() == 500)
    log_error(fmt::format("request {}: internal error: {}", request_id, text_of_exception()));
  return error_response(error, request_id);
}

std::string request_id(const std::string& given) {
  const bool usable = !given.empty() && given.size() <= kLongestId &&
                      std::all_of(given.begin(), given.end(), is_id_letter);
  return usable ? given : timed_name();
}

std::string media_type(std::string_view header) {
  return to_lower(trim(header.substr(0, header.find(';'))));
}

std::string accepted_type(std::string_view accept, const std::vector<std::string>& offered) {
  if (trim(accept).empty()) return offered.front();
  std::string best;
  double quality = 0.0;
  for (const std::string& type : offered) {
    const double wanted = quality_for(accept, type);
    if (wanted > quality) {
      best = type;
      quality = wanted;
    }
  }
  return best;
}

}  // namespace tcrops::serve
