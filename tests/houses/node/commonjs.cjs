require("./nodejs/house.js");
