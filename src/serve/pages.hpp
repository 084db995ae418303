#pragma once

#include "router.hpp"

namespace tcrops::serve {

// The pages for people and what they load, open to everybody: what they show comes from the API,
// which asks for a token where one is needed. GET /, /models, /queries, /monitor: HTML;
// GET /assets/{name}: styles, scripts, pictures. Each has an ETag of its content, and a request
// that names it is answered 304. The headers forbid whatever does not come from this server.
void add_page_routes(Router& router);

}  // namespace tcrops::serve
