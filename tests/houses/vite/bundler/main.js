import "./pkg";
