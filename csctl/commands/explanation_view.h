#pragma once

#include "base/json.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// What a machine's image is taken for (verifier::Explanation as JSON), then, of the nearest entry, everything that
/// differs: its field, what is expected and what was found. The same of `image` and `launch`, where they were compared.
/// Throws InvalidInput.
void print_explanation(const base::Json& explanation, Screen& screen);

/// Whether it is taken for a known one.
bool is_matched(const base::Json& explanation);

}  // namespace csctl
