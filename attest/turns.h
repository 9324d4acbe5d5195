#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/asio.h"
#include "net/peer.h"

namespace attest {

/// How many attestations go on at a time when a verify request has `request_bytes`: each holds a whole one, all
/// together 4 MiB at the most unless a single one has more. Between 1 and 8.
std::size_t attestations_at_once(std::size_t request_bytes);

/// Whose turn it is to have something attested: a few go on at a time, the others wait. Each process waits in a queue
/// of its own, and the queues are served one after the other, so that one waits for no more than one attestation of
/// each other process, however much any of them asks for. For one executor's thread.
class Turns {
  struct State;

 public:
  struct Limits {
    std::size_t at_once = attestations_at_once(0);
    std::size_t max_waiting_of_one = 32;  ///< requests of one process
    std::size_t max_waiting = 256;        ///< of all: beyond, the process with most loses the one that came last
    base::Milliseconds patience{300000};
  };

  /// Over with this object. May outlive the turns.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    std::shared_ptr<State> state_;
  };

  Turns(asio::any_io_executor executor, Limits limits);

  /// Waits for `process`'s turn. Nothing when it has too many waiting already, or all have, or patience is at its end.
  base::Awaitable<std::optional<Turn>> wait(net::Peer process);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace attest
