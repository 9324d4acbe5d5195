#include "launcher/clean_up.h"

#include <cstddef>
#include <exception>
#include <utility>

#include "base/log.h"

namespace launcher {

void CleanUp::add(std::string what, Undo undo) { steps_.push_back({std::move(what), std::move(undo)}); }

base::Awaitable<void> CleanUp::run() {
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if (std::exchange(steps_[i].is_undone, true)) continue;
    const Step step = steps_[i];
    try {
      co_await step.undo();
    } catch (const std::exception& error) {
      base::log::error(step.what + " failed", {{"error", error.what()}});
    }
  }
}

}  // namespace launcher
