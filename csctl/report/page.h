#pragma once

#include <string>

#include "csctl/report/report.h"

namespace csctl {

/// The report as one page of HTML that stands alone: it fetches nothing and runs no script, and forbids both
/// (Content-Security-Policy), whatever its texts hold.
std::string page_of(const Report& report);

}  // namespace csctl
