#include "launcher/platform/platform.h"

#include "base/error.h"

namespace launcher {

std::string Location::region() const {
  const std::size_t dash = zone.rfind('-');
  if (dash == std::string::npos || dash == 0) {
    throw base::InvalidInput("zone", "\"" + zone + "\" is not of the form region-letter");
  }
  return zone.substr(0, dash);
}

}  // namespace launcher
