#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "csctl/report/report.h"

namespace csctl {

enum class Layout : std::uint8_t { kWide, kTall };

/// The chain as a picture: inline SVG (SVG 1.1, second edition) in which each link has a sign beside its colour, and
/// whose words a screen reader reads.
std::string chain_picture(const std::vector<Link>& chain, Layout layout);

/// The class of a state in the page's style.
std::string css_class_of(State state);

}  // namespace csctl
