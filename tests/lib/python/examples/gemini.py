import asyncio
import websockets
import json
import google.generativeai as genai

async def chat_with_gemini(user_message: str, history: list = None):
    """
    Use AI Server's RAG with Google Gemini.
    
    Args:
        user_message: The user's question
        history: Previous conversation history (optional)
    
    Returns:
        str: Gemini's response
    """
    genai.configure(api_key="YOUR_GOOGLE_API_KEY")
    model = genai.GenerativeModel('gemini-pro')
    
    # Step 1: Get RAG context from AI Server
    async with websockets.connect('ws://localhost:8000/api/cloud-chat') as ws:
        while True:
            message = await ws.recv()
            data = json.loads(message)
            if "ready" in data['message'].lower():
                break
        
        await ws.send(json.dumps({
            "message": user_message,
            "history": history or []
        }))
        
        context_data = None
        async for message in ws:
            data = json.loads(message)
            if data['type'] == 'result':
                context_data = data['data']
                break
    
    # Step 2: Build prompt with RAG context
    prompt = f"""{context_data['system_prompt']}

Relevant files from user's collection:
{context_data['rag_context']}

User question: {user_message}"""
    
    # Step 3: Call Gemini
    response = model.generate_content(prompt)
    return response.text


# Usage example
async def main():
    response = await chat_with_gemini("What photos do I have from the mountains?")
    print(f"Gemini: {response}")

asyncio.run(main())
