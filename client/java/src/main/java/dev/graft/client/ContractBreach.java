package dev.graft.client;

/** The worker sent what the contract forbids. Becomes a {@link BrokenContractException}. */
final class ContractBreach extends Exception {
  ContractBreach(String message) {
    super(message);
  }
}
