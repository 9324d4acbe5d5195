#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "net/http.h"

namespace teeserver {

// What several endpoints answer. Whatever is neither a token nor a document is plain text.

net::HttpResponse plain_text(unsigned status, const std::string& text);

/// Of a process for which there is no turn (attest/turns.h).
net::HttpResponse too_many_attestations();

/// A failure, told to the client and to the log: `prefix` and the error's text.
net::HttpResponse failure(unsigned status, std::string_view prefix, const base::Error& error);

/// A document that is true now, and that nobody may keep.
net::HttpResponse json_document(const base::Json& document);

}  // namespace teeserver
