export default {
  input: "main.js",
  external: ["./pkg/house.js"],
  output: { dir: "dist", format: "es" },
};
