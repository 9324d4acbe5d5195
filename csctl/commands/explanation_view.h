#pragma once

#include "csctl/screen/screen.h"
#include "verifier/reference/explanation.h"

namespace csctl {

/// What a machine's image is taken for, then, of the nearest entry, everything that differs: its field, what is
/// expected and what was found.
void print_explanation(const verifier::Explanation& explanation, Screen& screen);

}  // namespace csctl
