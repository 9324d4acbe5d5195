#pragma once

#include "launcher/spec/attributes.h"

namespace launcher {

/// What this launcher can't do, or will not: a value that asks for it is a problem that says why.
void refuse_unsupported(AttributeReader& reader);

}  // namespace launcher
