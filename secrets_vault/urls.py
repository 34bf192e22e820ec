app_name = "secrets_vault"
urlpatterns = []
