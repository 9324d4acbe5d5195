#pragma once

#include <string_view>

#include "base/json.h"

namespace csctl {

/// The claim at a path such as "submods.container.args[0]"; null where there is none. A member whose name has a dot in
/// it is found as well.
const base::Json* find_claim(const base::Json& claims, std::string_view path);

/// Puts a claim there, with all on the way to it. Elements of arrays can be replaced, not added. Throws InvalidInput.
void set_claim(base::Json& claims, std::string_view path, base::Json value);

}  // namespace csctl
