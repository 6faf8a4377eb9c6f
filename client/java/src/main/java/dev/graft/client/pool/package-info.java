/**
 * Many workers as one: a {@link dev.graft.client.pool.WorkerPool} follows which workers there are
 * and how they are, {@link dev.graft.client.pool.PooledExtract} spreads items over them, and {@link
 * dev.graft.client.pool.PooledTraining} goes on elsewhere when the worker that trains is lost.
 *
 * <p>Membership, connections and their backoff are gRPC's: any name resolver, one subchannel for
 * each worker. Retries, circuit breakers, bulkheads and the rate limiter are Resilience4j's. What a
 * shard is depends on the input alone, so that the bytes of a result do not depend on which workers
 * there were and what happened to them.
 */
package dev.graft.client.pool;
