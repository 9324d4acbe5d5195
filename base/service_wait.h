#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/asio.h"
#include "base/clock.h"
#include "base/error.h"

namespace base {

/// Patience with something outside of the process that may come later, such as the network or somebody's server. Says
/// in the log that it waits, and for what.
class ServiceWait {
 public:
  using Attempt = std::function<Awaitable<void>()>;

  /// `service` is its name without an article. With a `bound` of zero there is one round of retries.
  ServiceWait(asio::any_io_executor executor, Clock clock, std::string service, std::chrono::seconds bound);
  ServiceWait(const ServiceWait&) = delete;
  ServiceWait& operator=(const ServiceWait&) = delete;

  /// Awaits `attempt()` again and again until it succeeds or fails for good. When the bound is over, an attempt under
  /// way is broken off and the last failure is thrown as
  /// "<service>: not reached within <bound> s: <reason>". To be called once.
  Awaitable<void> until(Attempt attempt);

 private:
  Awaitable<void> keep_trying(const Attempt& attempt);
  Awaitable<void> watch_the_clock();
  std::chrono::nanoseconds waited() const { return clock_.since_boot() - began_; }
  std::string reason() const;

  asio::any_io_executor executor_;
  Clock clock_;
  std::string service_;
  std::chrono::seconds bound_;
  std::chrono::nanoseconds began_{0};
  Event first_failure_;
  std::optional<Error> last_failure_;
  bool told_ = false;
  bool over_ = false;
};

}  // namespace base
