import wasm from "vite-plugin-wasm";

export default {
  build: { target: "esnext" },
  plugins: [wasm()],
  worker: { format: "es", plugins: () => [wasm()] },
};
