#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace base {

/// What may help after a failure. The top of a program turns it into an exit code; nothing else reads it.
enum class Action {
  kGiveUp,   ///< doing the same again will fail the same way
  kRestart,  ///< a fresh start may succeed; whether there is one is the restart policy's choice
  kReboot,   ///< the machine itself is not as it should be; only a reboot can help
};

/// Whether the very same attempt may succeed later. retry() and whoever waits for something read this, and nothing
/// else.
enum class Transience { kPermanent, kMayPass };

/// Root of every exception that this project throws. `what()` is one line for a person: what failed, and why.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, Action action = Action::kGiveUp);

  Action action() const noexcept { return action_; }
  bool may_pass() const noexcept { return transience_ == Transience::kMayPass; }
  /// Of a failure that may pass: when whoever refused wants to be asked again.
  std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

  void set_transience(Transience transience, std::optional<std::chrono::seconds> retry_after = {}) noexcept {
    transience_ = transience;
    retry_after_ = retry_after;
  }

  /// The same failure seen from one level up: "<context>: <what()>", the action kept (or replaced), the rest kept.
  Error in_context(std::string_view context) const;
  Error in_context(std::string_view context, Action action) const;

 private:
  Action action_;
  Transience transience_ = Transience::kPermanent;
  std::optional<std::chrono::seconds> retry_after_;
};

/// Bytes from outside that are not what their format demands. The text is "<field>: <reason>".
class InvalidInput : public Error {
 public:
  InvalidInput(std::string_view field, std::string_view reason);
};

/// A call to the operating system failed. The text is "<what>: <strerror(code)>".
class SystemError : public Error {
 public:
  SystemError(std::string_view what, int code, Action action = Action::kGiveUp);

  int code() const noexcept { return code_; }

 private:
  int code_;
};

}  // namespace base
