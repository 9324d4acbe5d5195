#pragma once

#include <string>

#include "base/clock.h"

namespace csctl {

/// A time that somebody asks for, such as 2026-01-31T23:59:59Z; now, where `text` is empty. Throws
/// InvalidInput(`option`).
base::WallTime time_asked_for(const std::string& text, const char* option);

}  // namespace csctl
