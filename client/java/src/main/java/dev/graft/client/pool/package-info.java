/**
 * Many workers as one: a {@link dev.graft.client.pool.WorkerPool} follows which workers there are
 * and how they are.
 *
 * <p>Membership, connections and their backoff are gRPC's: any name resolver, one subchannel for
 * each worker. Circuit breakers and bulkheads are Resilience4j's.
 */
package dev.graft.client.pool;
