#pragma once

#include <initializer_list>
#include <string_view>

#include "base/json.h"

namespace oci {

/// Throws InvalidInput for a member of `object` whose name is one of `names` in other letters' case: most readers of
/// image documents are written in Go, whose encoding/json takes it for that field ("matching is case-insensitive",
/// U+017F and U+212A count as s and k), so that two readers might see two images under one digest. `names` are ASCII.
void expect_exact_names(const base::JsonObject& object, std::initializer_list<std::string_view> names);

}  // namespace oci
