#include "base/error.h"

#include <system_error>

namespace base {

Error::Error(const std::string& message, Action action) : std::runtime_error(message), action_(action) {}

Error Error::in_context(std::string_view context) const { return in_context(context, action_); }

Error Error::in_context(std::string_view context, Action action) const {
  Error seen(std::string(context) + ": " + what(), action);
  seen.set_transience(transience_, retry_after_);
  return seen;
}

InvalidInput::InvalidInput(std::string_view field, std::string_view reason)
    : Error(std::string(field) + ": " + std::string(reason)) {}

SystemError::SystemError(std::string_view what, int code, Action action)
    : Error(std::string(what) + ": " + std::generic_category().message(code), action), code_(code) {}

}  // namespace base
