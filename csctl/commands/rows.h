#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace csctl {

/// The values in a document, each with its place in it, such as "quotes[0].bank": texts as they are, others as JSON. An
/// empty list or object is a value.
std::vector<std::pair<std::string, std::string>> leaves_of(const base::Json& document);

/// A claim's value, of times also as such.
std::string claim_text(const std::string& path, const std::string& value);

}  // namespace csctl
