// Shows /openapi.json. Swagger UI makes no other requests: no validator, no fonts, no images from elsewhere.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: false,
});
