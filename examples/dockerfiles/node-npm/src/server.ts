import fastify from "fastify";

await fastify().get("/", () => "hello").listen({ port: 3000 });
